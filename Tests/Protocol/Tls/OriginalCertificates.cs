using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Tls;

namespace Whip.Tests.Protocol.Tls;

/// <summary>
/// Certificates field for field as the original's tool writes them: one subject for the CA and every leaf, hence no authority
/// key identifier, a fixed subject key identifier, microseconds as the serial, RSA 4096.
/// </summary>
internal sealed class OriginalCertificates : IDisposable
{
    private static readonly X500DistinguishedName Subject = MakeSubject();

    private readonly RSA _caKey = RSA.Create(4096);
    private readonly RSA _leafKey = RSA.Create(4096);

    public OriginalCertificates(bool isCa = true)
    {
        var request = Request(_caKey, X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign, KeyPurpose.ClientAuth, KeyPurpose.ServerAuth);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isCa, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        Ca = Sign(request, _caKey, DateTimeOffset.UtcNow.AddDays(30));
    }

    public X509Certificate2 Ca { get; }

    public string CaKeyPem => _caKey.ExportRSAPrivateKeyPem();

    public TlsIdentity Server(string dnsName) => Identity(Leaf(dnsName, KeyPurpose.ClientAuth, KeyPurpose.ServerAuth));

    public TlsIdentity Client(string dnsName) => Identity(Leaf(dnsName, KeyPurpose.ClientAuth));

    /// <summary>What <see cref="TlsIdentity.Load"/> would have refused as our own certificate.</summary>
    public TlsIdentity ExpiredClient(string dnsName)
    {
        using var leaf = Sign(LeafRequest(dnsName, KeyPurpose.ClientAuth), _caKey, DateTimeOffset.UtcNow.AddMinutes(-1));
        return Identity(leaf.CopyWithPrivateKey(_leafKey));
    }

    /// <summary>Same subjects, but signed by a key that is not the CA's.</summary>
    public TlsIdentity ForgedClient(string dnsName)
    {
        using var leaf = Sign(LeafRequest(dnsName, KeyPurpose.ClientAuth), _leafKey, DateTimeOffset.UtcNow.AddDays(20));
        return Identity(leaf.CopyWithPrivateKey(_leafKey));
    }

    public X509Certificate2 Leaf(string dnsName, params string[] purposes)
    {
        using var leaf = Sign(LeafRequest(dnsName, purposes), _caKey, DateTimeOffset.UtcNow.AddDays(20));
        return leaf.CopyWithPrivateKey(_leafKey);
    }

    public void Dispose()
    {
        _caKey.Dispose();
        _leafKey.Dispose();
    }

    private TlsIdentity Identity(X509Certificate2 leaf) => TlsIdentity.Create([leaf], [Ca]);

    private CertificateRequest LeafRequest(string dnsName, params string[] purposes)
    {
        var request = Request(_leafKey, X509KeyUsageFlags.DigitalSignature, purposes);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(new byte[] { 1, 2, 3, 4, 6 }, critical: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(dnsName);
        request.CertificateExtensions.Add(names.Build());
        return request;
    }

    private static CertificateRequest Request(RSA key, X509KeyUsageFlags usages, params string[] purposes)
    {
        var request = new CertificateRequest(Subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usages, critical: true));
        var oids = new OidCollection();
        foreach (var purpose in purposes)
        {
            oids.Add(new Oid(purpose));
        }

        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(oids, critical: false));
        return request;
    }

    private static X509Certificate2 Sign(CertificateRequest request, RSA issuerKey, DateTimeOffset notAfter)
    {
        var serial = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(serial, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000);
        var generator = X509SignatureGenerator.CreateForRSA(issuerKey, RSASignaturePadding.Pkcs1);
        return request.Create(Subject, generator, DateTimeOffset.UtcNow.AddHours(-1), notAfter, serial);
    }

    private static X500DistinguishedName MakeSubject()
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddOrganizationalUnitName("Technicianted");
        subject.AddOrganizationName("Github");
        subject.AddCountryOrRegion("US");
        return subject.Build();
    }
}
