using System.Diagnostics;

namespace Whip.Harness.Programs;

/// <summary>A program run to its end; its output and error as one text.</summary>
internal sealed record ShellCommand(int ExitCode, string Text)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    public static Task<ShellCommand> RunAsync(string folder, string program, params string[] args) => RunAsync(folder, Timeout, program, args);

    /// <summary>The same with another timeout, for what takes minutes.</summary>
    public static Task<ShellCommand> RunAsync(string folder, TimeSpan timeout, string program, params string[] args) =>
        RunAsync(new ProcessStartInfo(program, args) { WorkingDirectory = folder }, timeout, CancellationToken.None);

    public static async Task<ShellCommand> RunAsync(ProcessStartInfo start, TimeSpan timeout, CancellationToken cancellationToken)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var process = Process.Start(start)!;
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
            await process.WaitForExitAsync(cancellationToken).WaitAsync(timeout, cancellationToken);
            return new ShellCommand(process.ExitCode, await output + await error);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }
}
