using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Whip.Cli.Pki;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Tests.Support;

/// <summary>One CA for the whole run and the identities it issues; every identity trusts this CA, also those it did not issue.</summary>
internal sealed class TestCertificates
{
    private static readonly Lazy<TestCertificates> Run = new(() => new TestCertificates());

    private readonly CertificateAuthority _ca = NewCa("test CA");
    private readonly Lazy<CertificateAuthority> _otherCa = new(() => NewCa("other CA"));
    private readonly ConcurrentDictionary<string, Lazy<TlsIdentity>> _identities = new();

    public static TestCertificates Shared => Run.Value;

    public X509Certificate2Collection Roots => [X509CertificateLoader.LoadCertificate(_ca.Certificate.RawData)];

    /// <summary>A leaf of the run's CA with its key, for what the ready-made identities do not cover.</summary>
    public X509Certificate2 Issue(LeafRequest leaf) => _ca.Issue(leaf);

    /// <summary>localhost, 127.0.0.1 and ::1, serverAuth and clientAuth.</summary>
    public TlsIdentity BrokerIdentity => Cached("broker", () => Broker(KeyPurpose.ServerAuth, KeyPurpose.ClientAuth));

    /// <summary>The same with the URI of one broker of one cluster.</summary>
    public TlsIdentity MemberIdentity(string clusterId, string brokerId) => Cached($"member {clusterId} {brokerId}", () =>
        Identity(_ca, BrokerLeaf(KeyPurpose.ServerAuth, KeyPurpose.ClientAuth) with { Uris = [new Uri(BrokerUri.Format(clusterId, brokerId))] }));

    public TlsIdentity ExpiredBrokerIdentity =>
        Cached("expired broker", () => Identity(_ca, BrokerLeaf(KeyPurpose.ServerAuth, KeyPurpose.ClientAuth), expired: true));

    public TlsIdentity OtherCaBrokerIdentity =>
        Cached("other broker", () => Identity(_otherCa.Value, BrokerLeaf(KeyPurpose.ServerAuth, KeyPurpose.ClientAuth)));

    /// <summary>The broker's names, but clientAuth only.</summary>
    public TlsIdentity WrongRoleBrokerIdentity => Cached("wrong broker", () => Broker(KeyPurpose.ClientAuth));

    /// <summary>One SAN, which may be a wildcard; clientAuth only.</summary>
    public TlsIdentity ClientIdentity(string name) => Cached($"client {name}", () => Identity(_ca, Leaf([name], KeyPurpose.ClientAuth)));

    public TlsIdentity ExpiredClientIdentity(string name) =>
        Cached($"expired {name}", () => Identity(_ca, Leaf([name], KeyPurpose.ClientAuth), expired: true));

    public TlsIdentity OtherCaClientIdentity(string name) =>
        Cached($"other {name}", () => Identity(_otherCa.Value, Leaf([name], KeyPurpose.ClientAuth)));

    /// <summary>One SAN, but serverAuth only.</summary>
    public TlsIdentity WrongRoleClientIdentity(string name) =>
        Cached($"wrong {name}", () => Identity(_ca, Leaf([name], KeyPurpose.ServerAuth)));

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
        File.WriteAllText(options.CaCertPath, _ca.Certificate.ExportCertificatePem());
        File.WriteAllText(options.CertPath, identity.Certificate.ExportCertificatePem());
        File.WriteAllText(options.KeyPath, key.ExportPkcs8PrivateKeyPem());
        return options;
    }

    private TlsIdentity Cached(string key, Func<TlsIdentity> make) => _identities.GetOrAdd(key, _ => new Lazy<TlsIdentity>(make)).Value;

    private TlsIdentity Broker(params string[] purposes) => Identity(_ca, BrokerLeaf(purposes));

    private TlsIdentity Identity(CertificateAuthority ca, LeafRequest leaf, bool expired = false)
    {
        var end = expired ? leaf.NotBefore.AddMinutes(30) : leaf.NotAfter;
        return TlsIdentity.Create([ca.Issue(leaf with { NotAfter = end })], Roots);
    }

    private static LeafRequest BrokerLeaf(params string[] purposes) =>
        Leaf(["localhost"], purposes) with { Addresses = [IPAddress.Loopback, IPAddress.IPv6Loopback] };

    private static LeafRequest Leaf(string[] names, params string[] purposes) =>
        new(new X500DistinguishedName($"CN={names[0]}"), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1))
        {
            DnsNames = names,
            Purposes = purposes,
        };

    private static CertificateAuthority NewCa(string name) => CertificateAuthority.Create(
        new X500DistinguishedName($"CN={name}"), KeyType.Ecdsa, DateTimeOffset.UtcNow.AddHours(-2), DateTimeOffset.UtcNow.AddDays(2));
}
