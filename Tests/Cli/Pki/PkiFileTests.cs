using System.Runtime.Versioning;

namespace Whip.Tests.Cli.Pki;

/// <summary>What happens to files that exist, and to those that cannot be written.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class PkiFileTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly PkiFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_CA_key_is_never_replaced_without_force()
    {
        await _folder.GenerateCaAsync();
        var before = (await File.ReadAllTextAsync(_folder.CaKey), await File.ReadAllTextAsync(_folder.CaCert));
        var run = await _folder.RunAsync("genselfsignedca");
        Assert.Equal(2, run.ExitCode);
        Assert.Equal(
            $"whip: --ca-key-path \"{_folder.CaKey}\": exists already, and what it signed would be worthless; try another path, or --force\n", run.Error);
        Assert.Equal(before, (await File.ReadAllTextAsync(_folder.CaKey), await File.ReadAllTextAsync(_folder.CaCert)));

        await _folder.GenerateCaAsync("--force");
        Assert.NotEqual(before.Item1, await File.ReadAllTextAsync(_folder.CaKey));
    }

    [Theory]
    [InlineData("--key-path")]
    [InlineData("--cert-path")]
    public async Task A_certificate_never_lands_on_its_CA(string flag)
    {
        await _folder.GenerateCaAsync();
        var run = await _folder.RunAsync("createandsign", "client", "--hostname", "*", "--domain", "testdom", flag, _folder.CaKey);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("is the file of --ca-key-path as well; try a path of its own", run.Error);
    }

    [Theory]
    [InlineData("--ca-key-path")]
    [InlineData("--ca-cert-path")]
    public async Task Neither_file_of_a_CA_is_replaced_by_those_of_a_new_one(string flag)
    {
        await _folder.GenerateCaAsync();
        var before = await ReadAllAsync();
        string[] others = ["--ca-cert-path", _folder.CaCert, "--ca-key-path", _folder.CaKey];
        var at = Array.IndexOf(others, flag);
        others[at + 1] = _folder.PathOf("new.pem");
        var run = await WhipRun.RunAsync(["pki", "genselfsignedca", .. others]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("exists already", run.Error);
        Assert.Equal(before, await ReadAllAsync());
    }

    [Theory]
    [InlineData("ln -s ca-key.pem out.pem", "--key-path", "out.pem")]
    [InlineData("ln -s ca-cert.pem out.pem", "--cert-path", "out.pem")]
    [InlineData("ln -s ca-key.pem link.pem; ln -s link.pem out.pem", "--key-path", "out.pem")]
    [InlineData("ln -s . dl", "--key-path", "dl/ca-key.pem")]
    [InlineData("ln -s . dl", "--cert-path", "dl/x.pem", "--key-path", "x.pem")]
    [InlineData("ln -s x.pem link.pem", "--cert-path", "x.pem", "--key-path", "link.pem")]
    [InlineData("mkdir sub", "--cert-path", "sub/../x.pem", "--key-path", "./x.pem")]
    [InlineData("ln ca-key.pem out.pem", "--key-path", "out.pem")]
    public async Task Two_names_of_one_file_are_refused(string prepare, params string[] flags)
    {
        await _folder.GenerateCaAsync();
        await ShellAsync(prepare);
        var before = await ReadAllAsync();
        var run = await SignHereAsync(flags);
        Assert.Equal(2, run.ExitCode);
        Assert.Matches("is the file of --[a-z-]+ as well", run.Error);
        Assert.Equal(before, await ReadAllAsync());
    }

    [Theory]
    [InlineData("mkfifo out.pem", "it is not a regular file")]
    [InlineData("mkfifo p; ln -s p out.pem", "it is not a regular file")]
    [InlineData("mkdir out.pem", "it is a directory")]
    [InlineData("ln -s out.pem out.pem", "has too many links")]
    public async Task Only_regular_files_are_replaced(string prepare, string problem)
    {
        await _folder.GenerateCaAsync();
        await ShellAsync(prepare);
        await RefusedAsync(problem);
    }

    [SkippableFact]
    public async Task A_device_is_not_replaced()
    {
        Skip.IfNot((await ShellCommand.RunAsync(_folder.PathOf("."), "mknod", "out.pem", "c", "1", "7")).ExitCode == 0, "needs the right to make a device");
        await _folder.GenerateCaAsync();
        await RefusedAsync("it is not a regular file");
    }

    [SkippableTheory]
    [InlineData("mkdir open; chmod 1777 open; ln -s ../target.pem open/out.pem; chown -h 12345 open/out.pem", "open/out.pem")]
    [InlineData("mkdir open; chmod 777 open; ln -s .. open/up; chown -h 12345 open/up", "open/up/target.pem")]
    public async Task A_link_that_another_user_planted_is_not_followed(string prepare, string path)
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root, who can give a link to another user");
        await _folder.GenerateCaAsync();
        await ShellAsync($"echo old > target.pem; {prepare}");
        foreach (var flag in new[] { "--cert-path", "--key-path" })
        {
            var run = await SignHereAsync(flag, path);
            Assert.Equal(2, run.ExitCode);
            Assert.Contains("a link of another user in a folder that everyone can write to", run.Error);
        }

        Assert.Equal("old\n", await File.ReadAllTextAsync(_folder.PathOf("target.pem")));
    }

    [Fact]
    public async Task A_link_of_ones_own_is_followed_in_a_folder_that_everyone_can_write_to()
    {
        await _folder.GenerateCaAsync();
        await ShellAsync("mkdir open; chmod 1777 open; ln -s ../target.pem open/out.pem");
        var run = await SignHereAsync("--cert-path", "open/out.pem");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("CERTIFICATE", await File.ReadAllTextAsync(_folder.PathOf("target.pem")));
    }

    [Fact]
    public async Task Keys_are_their_owners_alone_whatever_was_there()
    {
        await _folder.GenerateCaAsync();
        var key = _folder.Write("a-key.pem", "an old key that everyone reads");
        File.SetUnixFileMode(key, OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        using var reader = File.OpenText(key);
        using var leaf = await _folder.SignAsync("a", "client", "--hostname", "*", "--domain", "testdom");
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(key));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(_folder.CaKey));
        Assert.Equal("an old key that everyone reads", await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task A_link_goes_on_pointing_where_it_did()
    {
        await _folder.GenerateCaAsync();
        File.CreateSymbolicLink(_folder.PathOf("a-key.pem"), _folder.Write("elsewhere.pem", ""));
        using var leaf = await _folder.SignAsync("a", "client", "--hostname", "*", "--domain", "testdom");
        Assert.Contains("PRIVATE KEY", await File.ReadAllTextAsync(_folder.PathOf("elsewhere.pem")));
        Assert.NotNull(new FileInfo(_folder.PathOf("a-key.pem")).LinkTarget);
    }

    [Fact]
    public async Task A_key_stays_when_its_certificate_cannot_be_written()
    {
        await _folder.GenerateCaAsync();
        using var leaf = await _folder.SignAsync("a", "client", "--hostname", "*", "--domain", "testdom");
        var before = await File.ReadAllTextAsync(_folder.PathOf("a-key.pem"));
        var run = await _folder.RunAsync(
            "createandsign", "client", "--hostname", "*", "--domain", "testdom",
            "--key-path", _folder.PathOf("a-key.pem"), "--cert-path", _folder.PathOf("none/cert.pem"));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("none/cert.pem\": cannot be written: its folder does not exist; try another path", run.Error);
        Assert.Equal(before, await File.ReadAllTextAsync(_folder.PathOf("a-key.pem")));
        Assert.Equal(4, Directory.GetFiles(_folder.PathOf(".")).Length);
    }

    private async Task RefusedAsync(string problem)
    {
        foreach (var flag in new[] { "--cert-path", "--key-path" })
        {
            var before = await ShellAsync("ls -lR");
            var run = await SignHereAsync(flag, "out.pem");
            Assert.Equal(2, run.ExitCode);
            Assert.Contains(problem, run.Error);
            Assert.Equal(before, await ShellAsync("ls -lR"));
        }
    }

    /// <summary>Values that are no flags are names in the folder.</summary>
    private async Task<WhipRun> SignHereAsync(params string[] flags)
    {
        string[] defaults = ["--cert-path", "a-cert.pem", "--key-path", "a-key.pem"];
        var missing = defaults.Chunk(2).Where(pair => !flags.Contains(pair[0])).SelectMany(pair => pair);
        var given = flags.Concat(missing).Select(text => text[0] == '-' ? text : _folder.PathOf(text));
        return await _folder.RunAsync(["createandsign", "client", "--hostname", "*", "--domain", "testdom", .. given]);
    }

    private async Task<string> ShellAsync(string script)
    {
        var run = await ShellCommand.RunAsync(_folder.PathOf("."), "sh", "-c", script);
        Assert.True(run.ExitCode == 0, run.Text);
        return run.Text;
    }

    private async Task<string> ReadAllAsync() => await ShellAsync("cat ca-cert.pem ca-key.pem; ls");
}
