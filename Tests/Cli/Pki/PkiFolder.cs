using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Tls;

namespace Whip.Tests.Cli.Pki;

/// <summary>A folder in which <c>whip pki</c> runs with the CA's flags given.</summary>
internal sealed class PkiFolder : IDisposable
{
    private readonly TempFolder _folder = new();

    public string CaCert => PathOf("ca-cert.pem");

    public string CaKey => PathOf("ca-key.pem");

    public string PathOf(string name) => _folder.PathOf(name);

    public string Write(string name, string text) => _folder.Write(name, text);

    public Task<WhipRun> RunAsync(params string[] args) => WhipRun.RunAsync(["pki", .. args, "--ca-cert-path", CaCert, "--ca-key-path", CaKey]);

    public async Task GenerateCaAsync(params string[] args)
    {
        var run = await RunAsync(["genselfsignedca", .. args]);
        Assert.True(run.ExitCode == 0, run.Error);
    }

    /// <summary>Runs <c>createandsign</c> into NAME-cert.pem and NAME-key.pem.</summary>
    public Task<WhipRun> TrySignAsync(string name, params string[] args) =>
        RunAsync(["createandsign", .. args, "--cert-path", PathOf($"{name}-cert.pem"), "--key-path", PathOf($"{name}-key.pem")]);

    public async Task<X509Certificate2> SignAsync(string name, params string[] args)
    {
        var run = await TrySignAsync(name, args);
        Assert.True(run.ExitCode == 0, run.Error);
        return Certificate($"{name}-cert.pem");
    }

    public X509Certificate2 Certificate(string name) => X509CertificateLoader.LoadCertificateFromFile(PathOf(name));

    public TlsIdentity Identity(string name) => TlsIdentity.Load(new WhipTlsOptions
    {
        CertPath = PathOf($"{name}-cert.pem"),
        KeyPath = PathOf($"{name}-key.pem"),
        CaCertPath = CaCert,
    });

    public void Dispose() => _folder.Dispose();
}
