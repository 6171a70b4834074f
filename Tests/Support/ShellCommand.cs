using System.Diagnostics;

namespace Whip.Tests.Support;

/// <summary>A program run to its end; its output and error as one text.</summary>
internal sealed record ShellCommand(int ExitCode, string Text)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    public static Task<ShellCommand> RunAsync(string folder, string program, params string[] args) => RunAsync(folder, Deadline, program, args);

    /// <summary>The same with a deadline of its own, for what takes minutes.</summary>
    public static async Task<ShellCommand> RunAsync(string folder, TimeSpan deadline, string program, params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(program, args)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync().WaitAsync(deadline);
            return new ShellCommand(process.ExitCode, await output + await error);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }
}

/// <summary>What <c>env</c> is told before a build, so that it is one like a user's and no server of it holds the pipes that its end is read from.</summary>
internal static class BuildVariables
{
    public static IReadOnlyList<string> All { get; } =
        ["MSBUILDDISABLENODEREUSE=1", "DOTNET_CLI_USE_MSBUILD_SERVER=0", "UseSharedCompilation=false", "DOTNET_CLI_UI_LANGUAGE=en"];
}
