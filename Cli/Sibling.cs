using System.Runtime.InteropServices;

namespace Whip.Cli;

/// <summary>
/// A program in the same folder as <c>whip</c>. It replaces this process, so that signals, standard streams and the exit code are its own.
/// </summary>
internal sealed partial record Sibling(string Name, string Program)
{
    /// <summary>The original calls its agent client.</summary>
    public static IReadOnlyList<Sibling> All { get; } =
    [
        new("broker", "whip-broker"),
        new("agent", "whip-agent"),
        new("client", "whip-agent"),
        new("proxy", "whip-proxy"),
    ];

    public static Sibling? Find(string name) => All.FirstOrDefault(sibling => sibling.Name == name);

    /// <summary>Does not return when it succeeds; else it says what went wrong.</summary>
    public string Run(ReadOnlySpan<string> arguments)
    {
        var path = Path.Combine(AppContext.BaseDirectory, Program);
        string?[] argv = [path, .. arguments, null];
        RemoveDiagnosticSocket();
        _ = Execute(path, argv);
        return $"cannot start {path}: {Marshal.GetLastPInvokeErrorMessage()}";
    }

    /// <summary>The runtime names the socket after the process id, which stays the same. The sibling could not make its own if this one were left.</summary>
    private static void RemoveDiagnosticSocket()
    {
        try
        {
            foreach (var socket in Directory.EnumerateFiles(Path.GetTempPath(), $"dotnet-diagnostic-{Environment.ProcessId}-*-socket"))
            {
                File.Delete(socket);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The sibling runs without a diagnostic socket.
        }
    }

    [LibraryImport("libc", EntryPoint = "execv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] argv);
}
