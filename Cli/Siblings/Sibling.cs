using System.Runtime.InteropServices;
using Whip.Protocol.Options;

namespace Whip.Cli.Siblings;

/// <summary>
/// A program that lies beside <c>whip</c>. It takes this process over, so that signals, standard streams and the exit code are
/// its own.
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

    /// <summary>Does not return when it succeeds.</summary>
    /// <exception cref="WhipOptionException">The program is not there or cannot be started.</exception>
    public int Run(ReadOnlySpan<string> arguments)
    {
        var path = Path.Combine(AppContext.BaseDirectory, Program);
        string?[] argv = [path, .. arguments, null];
        RemoveDiagnosticSocket();
        _ = Execute(path, argv);
        throw new WhipOptionException(Name, null, $"cannot start {path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>The runtime names it after the process, which stays the same: left behind, it would shut the sibling's own one out.</summary>
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
            // The sibling runs all the same, without one.
        }
    }

    [LibraryImport("libc", EntryPoint = "execv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] argv);
}
