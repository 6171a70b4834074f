using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Options;

namespace Whip.Protocol.Tls;

/// <summary>What a program shows its peers, and which peers it accepts. One per program; its TLS context is built once.</summary>
internal sealed class TlsIdentity
{
    // Where an options class has its WhipTlsOptions.
    private const string Prefix = $"{nameof(ICheckedOptions.Tls)}.";
    private const string CertOption = $"{Prefix}{nameof(WhipTlsOptions.CertPath)}";

    private readonly SslStreamCertificateContext _context;

    private TlsIdentity(X509Certificate2Collection chainWithKeyFirst, X509Certificate2Collection roots)
    {
        Certificate = chainWithKeyFirst[0];
        Names = PeerIdentity.FromLeaf(Certificate);
        Verifier = new PeerVerifier(roots);
        _context = SslStreamCertificateContext.Create(Certificate, chainWithKeyFirst, offline: true);
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>The names of our own leaf.</summary>
    public PeerIdentity Names { get; }

    public DateTimeOffset NotAfter => Certificate.NotAfter;

    public PeerVerifier Verifier { get; }

    /// <summary>Reads the three files.</summary>
    /// <exception cref="WhipOptionException">A file is missing, unreadable or not valid, or our certificate has expired.</exception>
    public static TlsIdentity Load(WhipTlsOptions options, TimeProvider? time = null)
    {
        var chain = PemFiles.LoadChainWithKey(CertOption, options.CertPath, $"{Prefix}{nameof(options.KeyPath)}", options.KeyPath);
        var roots = PemFiles.LoadCertificates($"{Prefix}{nameof(options.CaCertPath)}", options.CaCertPath);
        var notAfter = (DateTimeOffset)chain[0].NotAfter;
        return notAfter > (time ?? TimeProvider.System).GetUtcNow()
            ? new TlsIdentity(chain, roots)
            : throw new WhipOptionException(CertOption, options.CertPath!, $"expired on {notAfter:u}", "a new one: whip pki createandsign");
    }

    /// <summary>From memory: our leaf with its private key and its intermediates, and the CAs whose peers are accepted.</summary>
    public static TlsIdentity Create(X509Certificate2Collection chainWithKeyFirst, X509Certificate2Collection roots) => new(chainWithKeyFirst, roots);

    /// <summary>For one accepted connection: the client must show a certificate good for <paramref name="peerRole"/>.</summary>
    public SslServerAuthenticationOptions ServerOptions(PeerRole peerRole, PeerVerdictHolder? holder = null) => new()
    {
        ServerCertificateContext = _context,
        ClientCertificateRequired = true,
        CertificateChainPolicy = Verifier.ChainPolicy(),
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        AllowTlsResume = Verifier.CanResume,
        RemoteCertificateValidationCallback = Judge(peerRole, null, holder),
    };

    /// <summary>
    /// For a connection to a broker reached as <paramref name="host"/>. A session resumed with it says
    /// <see cref="AuthenticatedStream.IsMutuallyAuthenticated"/> is false although the broker knows our certificate.
    /// </summary>
    public SslClientAuthenticationOptions ClientOptions(string host, int port, PeerVerdictHolder? holder = null) => new()
    {
        TargetHost = ServerName(host, port),
        ClientCertificateContext = _context,
        CertificateChainPolicy = Verifier.ChainPolicy(),
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        RemoteCertificateValidationCallback = Judge(PeerRole.Broker, host, holder),
    };

    /// <summary>
    /// The host itself; for an address a name made of it and the port, in the domain that is never anyone's (RFC 2606): SslStream keeps
    /// sessions under the name it sends, and would send none for an address and resume nothing. Brokers look at their dialer's
    /// certificate, never at this name.
    /// </summary>
    public static string ServerName(string host, int port) =>
        IPAddress.TryParse(host, out var address) ? $"{Convert.ToHexStringLower(address.GetAddressBytes())}-{port}.address.invalid" : host;

    private RemoteCertificateValidationCallback Judge(PeerRole role, string? expectedHost, PeerVerdictHolder? holder) =>
        (_, leaf, chain, errors) =>
        {
            var verdict = Verifier.Verify(leaf, chain, errors, role, expectedHost);
            if (holder is not null)
            {
                holder.Verdict = verdict;
            }

            return verdict.IsTrusted;
        };
}
