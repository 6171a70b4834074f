using Whip.Cli;

namespace Whip.Tests.Cli;

/// <summary>One <c>whip</c> command line, run in this process.</summary>
internal sealed record WhipRun(int ExitCode, string Output, string Error)
{
    public static async Task<WhipRun> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await WhipCommand.RunAsync(args, output, error).WaitAsync(TimeSpan.FromSeconds(60));
        return new WhipRun(exitCode, output.ToString(), error.ToString());
    }
}
