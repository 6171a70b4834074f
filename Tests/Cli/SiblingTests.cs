using System.Diagnostics;
using System.Runtime.Versioning;

namespace Whip.Tests.Cli;

/// <summary><c>whip broker</c> and the others become the program beside them; a script stands in for it here.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class SiblingTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly TempFolder _folder = new();

    public SiblingTests()
    {
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory).Where(IsPartOfWhip))
        {
            File.Copy(file, _folder.PathOf(Path.GetFileName(file)));
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("broker", "whip-broker")]
    [InlineData("agent", "whip-agent")]
    [InlineData("client", "whip-agent")]
    [InlineData("proxy", "whip-proxy")]
    public async Task Arguments_and_exit_code_pass_through(string command, string program)
    {
        Stub(program, "printf '<%s>' \"$@\"; exit 7");
        var run = await ShellCommand.RunAsync(_folder.FullName, _folder.PathOf("whip"), command, "--tls=false", "a b", "--help", "");
        Assert.Equal((7, "<--tls=false><a b><--help><>"), (run.ExitCode, run.Text));
    }

    [Fact]
    public async Task Signals_reach_the_program_itself()
    {
        Stub("whip-broker", "trap 'exit 5' TERM; echo $$; while :; do sleep 0.1; done");
        using var process = Process.Start(new ProcessStartInfo(_folder.PathOf("whip"), "broker") { RedirectStandardOutput = true })!;
        try
        {
            Assert.Equal($"{process.Id}", await process.StandardOutput.ReadLineAsync().WaitAsync(Deadline));
            Assert.Empty(Directory.GetFiles(Path.GetTempPath(), $"dotnet-diagnostic-{process.Id}-*"));
            using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
            await process.WaitForExitAsync().WaitAsync(Deadline);
            Assert.Equal(5, process.ExitCode);
        }
        finally
        {
            process.Kill();
        }
    }

    [Fact]
    public async Task A_program_that_is_not_there()
    {
        var run = await ShellCommand.RunAsync(_folder.FullName, _folder.PathOf("whip"), "broker");
        Assert.Equal((2, $"whip: broker: cannot start {_folder.PathOf("whip-broker")}: No such file or directory\n"), (run.ExitCode, run.Text));
    }

    private static bool IsPartOfWhip(string path)
    {
        var name = Path.GetFileName(path);
        return name is "whip" || name.StartsWith("whip.", StringComparison.Ordinal) || name.EndsWith(".dll", StringComparison.Ordinal);
    }

    private void Stub(string program, string script)
    {
        var path = _folder.Write(program, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
