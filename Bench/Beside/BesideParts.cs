using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Tls;

namespace Whip.Bench.Beside;

/// <summary>What all subjects share: the service, a process of its own, and the certificates.</summary>
internal sealed class BesideParts : IAsyncDisposable
{
    // Every server of every subject takes this alone, so that all handshakes are the same.
    public const string Suite = "TLS_AES_256_GCM_SHA384";
    public const string Curve = "X25519";

    private const string OpenSsl =
        $"""
        openssl_conf = all
        [all]
        ssl_conf = ssl
        [ssl]
        system_default = tls
        [tls]
        MinProtocol = TLSv1.3
        Ciphersuites = {Suite}
        Groups = {Curve}

        """;

    private readonly WhipProcesses _programs = new(AppContext.BaseDirectory);

    private BesideParts(string programFolder)
    {
        ProgramFolder = programFolder;
        Tls = new CertificateFiles(_programs.Folder, tls: true);
        Plain = new CertificateFiles(_programs.Folder, tls: false);
        Dialer = TlsIdentity.Load(Tls.Client($"dialer.{Certificates.Domain}"));
        Environment = new Dictionary<string, string> { ["OPENSSL_CONF"] = WriteFile("openssl.cnf", OpenSsl) };
    }

    public string ProgramFolder { get; }

    public CertificateFiles Tls { get; }

    public CertificateFiles Plain { get; }

    /// <summary>What the generator shows.</summary>
    public TlsIdentity Dialer { get; }

    /// <summary>Of every program.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    public WhipProcess Service { get; private set; } = null!;

    public int ServicePort => Service.Addresses["service"].Port;

    public static Task<BesideParts> StartAsync(string programFolder, CancellationToken cancellationToken) =>
        Parts.StartAsync(new BesideParts(programFolder), async parts =>
            parts.Service = await parts._programs.StartAsync("service", "whip-bench", ["service"], cancellationToken));

    /// <summary>What every handshake is.</summary>
    public string TlsText =>
        $"TLS 1.3, {Suite}, {Curve}, ECDSA P-{Dialer.Certificate.GetECDsaPublicKey()!.KeySize} keys, each end verifies the other's certificate";

    /// <summary>Starts the subject with this name.</summary>
    /// <exception cref="DialFailedException">A first dial failed.</exception>
    public Task<Subject> StartAsync(string name, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var isTls = name.Contains("-mtls", StringComparison.Ordinal);
        return Multiplexer.Names.Contains(name) ? Multiplexer.StartAsync(this, name, cancellationToken)
            : name.StartsWith(HaproxySubject.Program, StringComparison.Ordinal)
                ? HaproxySubject.StartAsync(this, name, isTls, name.EndsWith("-best", StringComparison.Ordinal), cancellationToken)
            : WhipSubject.StartAsync(this, name, isTls, name.EndsWith("-kept", StringComparison.Ordinal), environment, cancellationToken);
    }

    /// <summary>Into the folder of the certificates; returns its path.</summary>
    public string WriteFile(string name, string content)
    {
        var path = Path.Combine(_programs.Folder, name);
        File.WriteAllText(path, content);
        return path;
    }

    public ValueTask DisposeAsync() => _programs.DisposeAsync();
}
