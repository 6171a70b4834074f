using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Options;

namespace Whip.Protocol.Tls;

/// <summary>
/// What a program shows its peers, and which peers it accepts. One per program. Files are read again by <see cref="Look"/>; the connections made
/// from then on use what they hold.
/// </summary>
internal sealed class TlsIdentity : IShownCertificate
{
    // Where an options class has its WhipTlsOptions.
    private const string Prefix = $"{nameof(ICheckedOptions.Tls)}.";
    private const string CertOption = $"{Prefix}{nameof(WhipTlsOptions.CertPath)}";

    /// <summary>How often files are looked at.</summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly WhipTlsOptions? _options;
    private readonly PeerRole? _role;
    private readonly TimeProvider _time;
    private readonly LiveFile<Shown> _shown;
    private Func<PeerIdentity, (string Problem, string Hint)?>? _requirement;
    private long _lookedAt;

    private TlsIdentity(WhipTlsOptions options, PeerRole? role, TimeProvider time)
    {
        (_options, _role, _time, _lookedAt) = (options, role, time, time.GetTimestamp());
        Denied = string.IsNullOrEmpty(options.DenyPath) ? null : new DenyFile(options.DenyPath);
        _shown = new LiveFile<Shown>([options.CertPath, options.KeyPath, options.CaCertPath], Read);
    }

    private TlsIdentity(X509Certificate2Collection chainWithKeyFirst, X509Certificate2Collection roots)
    {
        _time = TimeProvider.System;
        _shown = new LiveFile<Shown>([], () => new Shown(chainWithKeyFirst, roots, denied: null));
    }

    public string FilePath => _options?.CertPath ?? "memory";

    public X509Certificate2 Certificate => _shown.Value.Certificate;

    /// <summary>The names of our own leaf.</summary>
    public PeerIdentity Names => _shown.Value.Names;

    public DateTimeOffset NotAfter => Names.NotAfter;

    public PeerVerifier Verifier => _shown.Value.Verifier;

    /// <summary>Whom to refuse all the same; null without such a file.</summary>
    public DenyFile? Denied { get; }

    /// <summary>Why the files as they are now are not in force; null if they are.</summary>
    public string? Problem => _shown.Problem;

    /// <summary>Reads the files.</summary>
    /// <param name="options">Where they are.</param>
    /// <param name="time">What their validity is compared with.</param>
    /// <param name="role">What the program is, and its certificate must be good for; null: not checked.</param>
    /// <exception cref="WhipOptionException">A file is missing, unreadable or not valid, or our certificate cannot be used.</exception>
    public static TlsIdentity Load(WhipTlsOptions options, TimeProvider? time = null, PeerRole? role = null) =>
        new(options, role, time ?? TimeProvider.System);

    /// <summary>From memory: our leaf with its private key and its intermediates, and the CAs whose peers are accepted.</summary>
    public static TlsIdentity Create(X509Certificate2Collection chainWithKeyFirst, X509Certificate2Collection roots) => new(chainWithKeyFirst, roots);

    /// <summary>What the certificate must fulfil beyond its role, now and after every change: returns the problem and what to try, or null.</summary>
    /// <exception cref="WhipOptionException">It does not.</exception>
    public void Require(Func<PeerIdentity, (string Problem, string Hint)?> requirement)
    {
        _requirement = requirement;
        CheckRequirement(Names);
    }

    /// <summary>
    /// Reads the files if they have changed; see <see cref="LiveFile{T}.Look"/>. Several parts may share an identity, so nothing is read when
    /// another has just looked.
    /// </summary>
    public FileChange Look(bool atOnce = false) => atOnce || TryBeginLook() ? _shown.Look(atOnce) : FileChange.None;

    /// <summary>For a part that has no loop to look and no log: looks at the deny list too.</summary>
    public void LookAtAll()
    {
        if (TryBeginLook())
        {
            _shown.Look();
            Denied?.Look(atOnce: false);
        }
    }

    /// <summary>For one accepted connection: the client must show a certificate good for <paramref name="peerRole"/>.</summary>
    public SslServerAuthenticationOptions ServerOptions(PeerRole peerRole, PeerVerdictHolder? holder = null)
    {
        var shown = _shown.Value;
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = shown.Context,
            ClientCertificateRequired = true,
            CertificateChainPolicy = shown.Verifier.ChainPolicy(),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowTlsResume = shown.Verifier.CanResume,
            RemoteCertificateValidationCallback = Judge(shown.Verifier, peerRole, null, holder),
        };
    }

    /// <summary>
    /// For a connection to a broker reached as <paramref name="host"/>. A session resumed with it says
    /// <see cref="AuthenticatedStream.IsMutuallyAuthenticated"/> is false although the broker knows our certificate.
    /// </summary>
    public SslClientAuthenticationOptions ClientOptions(string host, int port, PeerVerdictHolder? holder = null)
    {
        var shown = _shown.Value;
        return new SslClientAuthenticationOptions
        {
            TargetHost = ServerName(host, port),
            ClientCertificateContext = shown.Context,
            CertificateChainPolicy = shown.Verifier.ChainPolicy(),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowTlsResume = shown.Verifier.CanResume,
            RemoteCertificateValidationCallback = Judge(shown.Verifier, PeerRole.Broker, host, holder),
        };
    }

    /// <summary>
    /// The host itself; for an address a name made of it and the port, in the domain that is never anyone's (RFC 2606): SslStream keeps
    /// sessions under the name it sends, and would send none for an address and resume nothing. Brokers look at their dialer's
    /// certificate, never at this name.
    /// </summary>
    public static string ServerName(string host, int port) =>
        IPAddress.TryParse(host, out var address) ? $"{Convert.ToHexStringLower(address.GetAddressBytes())}-{port}.address.invalid" : host;

    private static RemoteCertificateValidationCallback Judge(PeerVerifier verifier, PeerRole role, string? expectedHost, PeerVerdictHolder? holder) =>
        (_, leaf, chain, errors) =>
        {
            var verdict = verifier.Verify(leaf, chain, errors, role, expectedHost);
            if (holder is not null)
            {
                holder.Verdict = verdict;
            }

            return verdict.IsTrusted;
        };

    private bool TryBeginLook()
    {
        var last = Interlocked.Read(ref _lookedAt);
        return _time.GetElapsedTime(last) > LookInterval / 2 && Interlocked.CompareExchange(ref _lookedAt, _time.GetTimestamp(), last) == last;
    }

    private Shown Read()
    {
        var chain = PemFiles.LoadShown(CertOption, _options!.CertPath, $"{Prefix}{nameof(_options.KeyPath)}", _options.KeyPath, _time.GetUtcNow());
        var roots = PemFiles.LoadCertificates($"{Prefix}{nameof(_options.CaCertPath)}", _options.CaCertPath);
        if (_role == PeerRole.Broker && !KeyPurpose.Has(chain[0], KeyPurpose.ServerAuth))
        {
            throw Unusable("lacks the extended key usage serverAuth, which a broker needs", "whip pki createandsign server");
        }

        if (_role == PeerRole.Client && !KeyPurpose.Has(chain[0], KeyPurpose.ClientAuth))
        {
            throw Unusable("lacks the extended key usage clientAuth, which agents and dialers need", "whip pki createandsign client");
        }

        var shown = new Shown(chain, roots, Denied);
        CheckRequirement(shown.Names);
        return shown;
    }

    private void CheckRequirement(PeerIdentity names)
    {
        if (_requirement?.Invoke(names) is { } fault)
        {
            throw Unusable(fault.Problem, fault.Hint);
        }
    }

    private WhipOptionException Unusable(string problem, string hint) => new(CertOption, _options?.CertPath, problem, hint);

    /// <summary>What one reading of the files came to. Its TLS context is built once.</summary>
    private sealed class Shown(X509Certificate2Collection chainWithKeyFirst, X509Certificate2Collection roots, DenyFile? denied)
    {
        public X509Certificate2 Certificate { get; } = chainWithKeyFirst[0];

        public PeerIdentity Names { get; } = PeerIdentity.FromLeaf(chainWithKeyFirst[0]);

        public PeerVerifier Verifier { get; } = new(roots, denied);

        public SslStreamCertificateContext Context { get; } = SslStreamCertificateContext.Create(chainWithKeyFirst[0], chainWithKeyFirst, offline: true);
    }
}
