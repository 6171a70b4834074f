namespace Whip.Tests.Cli.Pki;

/// <summary>The real program in an empty folder with nothing but its defaults, and what OpenSSL says of its files.</summary>
public sealed class OpenSslTests
{
    private static readonly string Whip = Path.Combine(AppContext.BaseDirectory, "whip");

    [SkippableFact]
    public async Task The_default_files_are_what_OpenSSL_expects()
    {
        Skip.IfNot(File.Exists("/usr/bin/openssl"), "needs openssl");
        using var folder = new TempFolder();
        await RunAsync(folder, Whip, "pki", "genselfsignedca");
        await RunAsync(folder, Whip, "pki", "createandsign", "client", "--hostname", "*", "--domain", "testdom");
        await RunAsync(folder, Whip, "pki", "createandsign", "server", "--dns-names", "localhost", "--cert-path", "broker.pem", "--key-path", "broker.key");

        await RunAsync(folder, "openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", "ca-cert.pem", "cert.pem");
        await RunAsync(
            folder, "openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "localhost",
            "-CAfile", "ca-cert.pem", "broker.pem");
        var wrongPurpose = await ShellCommand.RunAsync(folder.FullName, "openssl", "verify", "-purpose", "sslserver", "-CAfile", "ca-cert.pem", "cert.pem");
        Assert.NotEqual(0, wrongPurpose.ExitCode);
        await RunAsync(folder, "openssl", "ec", "-in", "key.pem", "-check", "-noout");
        var text = await RunAsync(folder, "openssl", "x509", "-noout", "-text", "-in", "cert.pem");
        Assert.Contains("DNS:*.testdom", text);
        Assert.Contains("TLS Web Client Authentication\n", text);
        Assert.Contains("Not After", text);
    }

    private static async Task<string> RunAsync(TempFolder folder, string program, params string[] args)
    {
        var run = await ShellCommand.RunAsync(folder.FullName, program, args);
        Assert.True(run.ExitCode == 0, run.Text);
        return run.Text;
    }
}
