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
        var run = await _folder.RunAsync("createandsign", "client", "--domain", "testdom", flag, _folder.CaKey);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("is the path of another flag as well", run.Error);
    }

    [Fact]
    public async Task Keys_are_their_owners_alone_whatever_was_there()
    {
        await _folder.GenerateCaAsync();
        var key = _folder.Write("a-key.pem", "an old key that everyone reads");
        File.SetUnixFileMode(key, OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        using var reader = File.OpenText(key);
        using var leaf = await _folder.SignAsync("a", "client", "--domain", "testdom");
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(key));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(_folder.CaKey));
        Assert.Equal("an old key that everyone reads", await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task A_link_goes_on_pointing_where_it_did()
    {
        await _folder.GenerateCaAsync();
        File.CreateSymbolicLink(_folder.PathOf("a-key.pem"), _folder.Write("elsewhere.pem", ""));
        using var leaf = await _folder.SignAsync("a", "client", "--domain", "testdom");
        Assert.Contains("PRIVATE KEY", await File.ReadAllTextAsync(_folder.PathOf("elsewhere.pem")));
        Assert.NotNull(new FileInfo(_folder.PathOf("a-key.pem")).LinkTarget);
    }

    [Fact]
    public async Task A_key_stays_when_its_certificate_cannot_be_written()
    {
        await _folder.GenerateCaAsync();
        using var leaf = await _folder.SignAsync("a", "client", "--domain", "testdom");
        var before = await File.ReadAllTextAsync(_folder.PathOf("a-key.pem"));
        var run = await _folder.RunAsync(
            "createandsign", "client", "--domain", "testdom", "--key-path", _folder.PathOf("a-key.pem"), "--cert-path", _folder.PathOf("none/cert.pem"));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("none/cert.pem\": cannot be written: its folder does not exist; try another path", run.Error);
        Assert.Equal(before, await File.ReadAllTextAsync(_folder.PathOf("a-key.pem")));
        Assert.Equal(4, Directory.GetFiles(_folder.PathOf(".")).Length);
    }
}
