using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Cli.Pki;

/// <summary>The contents of a new leaf.</summary>
internal sealed record LeafRequest(X500DistinguishedName Subject, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    public KeyType KeyType { get; init; }

    public IReadOnlyList<string> DnsNames { get; init; } = [];

    public IReadOnlyList<IPAddress> Addresses { get; init; } = [];

    public IReadOnlyList<Uri> Uris { get; init; } = [];

    /// <summary>Extended key usages.</summary>
    public IReadOnlyList<string> Purposes { get; init; } = [];
}

/// <summary>A CA and its key. It signs leaves, and no other CA.</summary>
internal sealed class CertificateAuthority(X509Certificate2 certificate)
{
    private const string MakeOne = "whip pki genselfsignedca, which makes one";

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate { get; } = certificate;

    public static CertificateAuthority Create(X500DistinguishedName subject, KeyType keyType, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        using var key = NewKey(keyType);
        var request = Request(subject, key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        var keyId = new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false);
        request.CertificateExtensions.Add(keyId);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(keyId));
        var signed = request.Create(subject, Generator(key), notBefore, notAfter, NewSerial());
        return new CertificateAuthority(WithKey(signed, key));
    }

    /// <exception cref="WhipOptionException">The files do not contain a CA that is valid now and its key.</exception>
    public static CertificateAuthority Load(string certFlag, string certPath, string keyFlag, string keyPath, DateTimeOffset now)
    {
        var certificate = PemFiles.LoadChainWithKey(certFlag, certPath, keyFlag, keyPath)[0];
        if (!certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(extension => extension.CertificateAuthority))
        {
            throw new WhipOptionException(certFlag, certPath, "is not the certificate of a CA", MakeOne);
        }

        return certificate.NotAfter > now
            ? new CertificateAuthority(certificate)
            : throw new WhipOptionException(certFlag, certPath, $"expired on {certificate.NotAfter.ToUniversalTime():u}", MakeOne);
    }

    /// <summary>No certificate is of use when its CA has expired.</summary>
    public DateTimeOffset Limit(DateTimeOffset notAfter) => notAfter < Certificate.NotAfter ? notAfter : Certificate.NotAfter;

    /// <summary>A new key and its certificate, which carries the key.</summary>
    public X509Certificate2 Issue(LeafRequest leaf)
    {
        using var key = NewKey(leaf.KeyType);
        var request = Request(leaf.Subject, key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        var purposes = new OidCollection();
        foreach (var purpose in leaf.Purposes)
        {
            purposes.Add(new Oid(purpose));
        }

        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(purposes, critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(IssuerKeyId());
        if (leaf.DnsNames.Count + leaf.Addresses.Count + leaf.Uris.Count > 0)
        {
            request.CertificateExtensions.Add(AlternativeNames(leaf));
        }

        using var issuerKey = (AsymmetricAlgorithm?)Certificate.GetECDsaPrivateKey() ?? Certificate.GetRSAPrivateKey()!;
        return WithKey(request.Create(Certificate.SubjectName, Generator(issuerKey), leaf.NotBefore, leaf.NotAfter, NewSerial()), key);
    }

    private X509AuthorityKeyIdentifierExtension IssuerKeyId() =>
        X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(
            Certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault()
            ?? new X509SubjectKeyIdentifierExtension(Certificate.PublicKey, critical: false));

    private static X509Extension AlternativeNames(LeafRequest leaf)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in leaf.DnsNames)
        {
            names.AddDnsName(name);
        }

        foreach (var address in leaf.Addresses)
        {
            names.AddIpAddress(address);
        }

        foreach (var uri in leaf.Uris)
        {
            names.AddUri(uri);
        }

        return names.Build();
    }

    private static AsymmetricAlgorithm NewKey(KeyType type) =>
        type == KeyType.Rsa ? RSA.Create(3072) : ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static CertificateRequest Request(X500DistinguishedName subject, AsymmetricAlgorithm key) => key is RSA rsa
        ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);

    private static X509SignatureGenerator Generator(AsymmetricAlgorithm key) => key is RSA rsa
        ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1)
        : X509SignatureGenerator.CreateForECDsa((ECDsa)key);

    private static X509Certificate2 WithKey(X509Certificate2 certificate, AsymmetricAlgorithm key)
    {
        using (certificate)
        {
            return key is RSA rsa ? certificate.CopyWithPrivateKey(rsa) : certificate.CopyWithPrivateKey((ECDsa)key);
        }
    }

    /// <summary>128 random bits after a 1, so that the number is positive and has a fixed length.</summary>
    private static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(17);
        serial[0] = 1;
        return serial;
    }
}
