using Whip.Tests.Docs;

namespace Whip.Tests.Build;

/// <summary>This tree as a clone has it, with no file that a build leaves.</summary>
public sealed class FreshCloneTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public async Task A_plain_build_of_a_fresh_clone_makes_every_program()
    {
        Tools.Require("git");
        await CloneAsync();

        var build = await ShellCommand.RunAsync(_folder.FullName, TimeSpan.FromMinutes(10), "env", [.. BuildVariables.All, "dotnet", "build"]);
        Assert.True(build.ExitCode == 0, build.Text);
        Assert.Contains("0 Warning(s)", build.Text);

        foreach (var program in new[] { "whip-broker", "whip-agent", "whip-proxy", "whip" })
        {
            var version = await ShellCommand.RunAsync(_folder.FullName, _folder.PathOf($"artifacts/bin/Whip.Bench/debug/{program}"), "--version");
            Assert.Matches($@"^{program} \d+\.\d+\.\d+\n$", version.Text);
        }
    }

    /// <summary>What would be committed is copied, so that the build is of what is tested.</summary>
    private async Task CloneAsync()
    {
        var files = await ShellCommand.RunAsync(Documents.Root, "git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
            "--exclude-standard");
        Assert.True(files.ExitCode == 0, files.Text);
        foreach (var path in files.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(path => File.Exists(Path.Combine(Documents.Root, path))))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder.PathOf(path))!);
            File.Copy(Path.Combine(Documents.Root, path), _folder.PathOf(path));
        }
    }
}
