using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Whip.Cli.Pki;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Harness;

/// <summary>A CA and the identities that it issues, in memory and as files. Every identity trusts this CA.</summary>
internal sealed class Certificates(string caName = "test CA")
{
    /// <summary>The domain of agents and dialers.</summary>
    public const string Domain = "testdom";

    private readonly CertificateAuthority _ca = CertificateAuthority.Create(
        new X500DistinguishedName($"CN={caName}"), KeyType.Ecdsa, DateTimeOffset.UtcNow.AddHours(-2), DateTimeOffset.UtcNow.AddDays(60));

    private readonly ConcurrentDictionary<string, Lazy<TlsIdentity>> _identities = new();

    public X509Certificate2Collection Roots => [X509CertificateLoader.LoadCertificate(_ca.Certificate.RawData)];

    /// <summary>localhost, 127.0.0.1 and ::1, serverAuth and clientAuth.</summary>
    public TlsIdentity BrokerIdentity => Cached("broker", () => Identity(BrokerLeaf()));

    /// <summary>The same with the URI of one broker of one cluster.</summary>
    public TlsIdentity MemberIdentity(string clusterId, string brokerId) => Cached(
        $"member {clusterId} {brokerId}", () => Identity(BrokerLeaf() with { Uris = [new Uri(BrokerUri.Format(clusterId, brokerId))] }));

    /// <summary>One SAN, which may be a wildcard; clientAuth only.</summary>
    public TlsIdentity ClientIdentity(string name) => Cached($"client {name}", () => Identity(ClientLeaf(name)));

    /// <summary>A leaf with its key, for what the ready-made identities do not cover.</summary>
    public X509Certificate2 Issue(LeafRequest leaf) => _ca.Issue(leaf);

    public TlsIdentity Identity(LeafRequest leaf) => TlsIdentity.Create([Issue(leaf)], Roots);

    public static LeafRequest BrokerLeaf() => ClientLeaf("localhost") with
    {
        Addresses = [IPAddress.Loopback, IPAddress.IPv6Loopback],
        Purposes = [KeyPurpose.ServerAuth, KeyPurpose.ClientAuth],
    };

    public static LeafRequest ClientLeaf(string name) =>
        new(new X500DistinguishedName($"CN={name}"), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(30))
        {
            DnsNames = [name],
            Purposes = [KeyPurpose.ClientAuth],
        };

    /// <summary>Writes the CA's certificate and the broker's certificate and key into a folder that exists.</summary>
    public WhipTlsOptions WriteFiles(string folder) => WriteFiles(folder, "broker", BrokerIdentity);

    /// <summary>Writes the CA's certificate and a client's certificate and key into a folder that exists.</summary>
    public WhipTlsOptions WriteClientFiles(string folder, string name) => WriteFiles(folder, name.Replace('*', '_'), ClientIdentity(name));

    /// <summary>Writes the CA's certificate and this identity as <c>ca-cert.pem</c>, <c>PREFIX-cert.pem</c> and <c>PREFIX-key.pem</c>.</summary>
    public WhipTlsOptions WriteFiles(string folder, string prefix, TlsIdentity identity)
    {
        var options = new WhipTlsOptions
        {
            CaCertPath = Path.Combine(folder, "ca-cert.pem"),
            CertPath = Path.Combine(folder, $"{prefix}-cert.pem"),
            KeyPath = Path.Combine(folder, $"{prefix}-key.pem"),
        };
        using var key = identity.Certificate.GetECDsaPrivateKey()!;
        if (!File.Exists(options.CaCertPath))
        {
            // A program that runs already may be reading it.
            File.WriteAllText(options.CaCertPath, _ca.Certificate.ExportCertificatePem());
        }

        File.WriteAllText(options.CertPath, identity.Certificate.ExportCertificatePem());
        File.WriteAllText(options.KeyPath, key.ExportPkcs8PrivateKeyPem());
        return options;
    }

    /// <summary>The flags that give a program its certificate, or make it run plain.</summary>
    public static string[] Flags(WhipTlsOptions tls) =>
        tls.Enabled ? ["--tls-ca-cert-path", tls.CaCertPath!, "--tls-cert-path", tls.CertPath!, "--tls-key-path", tls.KeyPath!] : ["--tls=false"];

    private TlsIdentity Cached(string key, Func<TlsIdentity> make) => _identities.GetOrAdd(key, _ => new Lazy<TlsIdentity>(make)).Value;
}
