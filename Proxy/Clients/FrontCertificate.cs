using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Proxy.Clients;

/// <summary>The certificate that clients see with <c>--proxy-tls</c>, as its files are now. Clients prove who they are by a password.</summary>
internal sealed class FrontCertificate : IShownCertificate
{
    private const string CertOption = nameof(WhipProxyOptions.ServerCertPath);

    private readonly LiveFile<Shown> _file;

    /// <exception cref="WhipOptionException">A file cannot be used.</exception>
    public FrontCertificate(string certPath, string? keyPath, TimeProvider time)
    {
        FilePath = certPath;
        _file = new LiveFile<Shown>([certPath, keyPath], () => Read(certPath, keyPath, time.GetUtcNow()));
    }

    public string FilePath { get; }

    public X509Certificate2 Certificate => _file.Value.Leaf;

    public PeerIdentity Names => _file.Value.Names;

    public string? Problem => _file.Problem;

    public FileChange Look(bool atOnce = false) => _file.Look(atOnce);

    /// <summary>For one accepted connection.</summary>
    public SslServerAuthenticationOptions ServerOptions() => new()
    {
        ServerCertificateContext = _file.Value.Context,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,

        // Who speaks HTTP/2 alone is an agent, and is told where it is.
        ApplicationProtocols = [SslApplicationProtocol.Http11, SslApplicationProtocol.Http2],
    };

    private static Shown Read(string certPath, string? keyPath, DateTimeOffset now)
    {
        var chain = PemFiles.LoadShown(CertOption, certPath, nameof(WhipProxyOptions.ServerKeyPath), keyPath, now);
        var usages = chain[0].Extensions.OfType<X509EnhancedKeyUsageExtension>();
        return !usages.Any() || KeyPurpose.Has(chain[0], KeyPurpose.ServerAuth)
            ? new Shown(chain[0], PeerIdentity.FromLeaf(chain[0]), SslStreamCertificateContext.Create(chain[0], chain, offline: true))
            : throw new WhipOptionException(
                CertOption, certPath, "lacks the extended key usage serverAuth, so that clients refuse it", "whip pki createandsign server");
    }

    /// <summary>What one reading of the files came to. Its TLS context is built once.</summary>
    private sealed record Shown(X509Certificate2 Leaf, PeerIdentity Names, SslStreamCertificateContext Context);
}
