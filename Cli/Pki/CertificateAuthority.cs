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

    public string Names => string.Join(", ", [.. DnsNames, .. Addresses.Select(address => address.ToString()), .. Uris.Select(uri => uri.AbsoluteUri)]);
}

/// <summary>A CA and its key. It signs leaves; one that signed itself also signs the CAs of intermediates, which sign leaves only.</summary>
internal sealed class CertificateAuthority
{
    private const string MakeOne = "whip pki genselfsignedca, which makes one";

    private const X509ChainStatusFlags Refusals = X509ChainStatusFlags.HasNotPermittedNameConstraint | X509ChainStatusFlags.HasExcludedNameConstraint
        | X509ChainStatusFlags.HasNotSupportedNameConstraint | X509ChainStatusFlags.InvalidNameConstraints | X509ChainStatusFlags.InvalidBasicConstraints;

    /// <param name="chain">The CA with its private key, then others, among which the CAs above it may be.</param>
    public CertificateAuthority(params X509Certificate2Collection chain)
    {
        Chain = [.. WithIssuers(chain)];
    }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate => Chain[0];

    /// <summary>The CA and those above it, as far as they are known.</summary>
    public X509Certificate2Collection Chain { get; }

    /// <summary>What a peer that knows the CA at the top needs besides a leaf.</summary>
    public IEnumerable<X509Certificate2> Intermediates => Chain.TakeWhile(certificate => !IsSelfIssued(certificate));

    /// <summary>No certificate is of use when one of the CAs above it has expired.</summary>
    public DateTimeOffset NotAfter => Chain.Min(certificate => certificate.NotAfter);

    private X509BasicConstraintsExtension? Constraints => Certificate.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault();

    public static CertificateAuthority Create(X500DistinguishedName subject, KeyType keyType, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        using var key = NewKey(keyType);
        var request = CaRequest(subject, key, pathLength: 1);
        var keyId = request.CertificateExtensions.OfType<X509SubjectKeyIdentifierExtension>().Single();
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(keyId));
        return new CertificateAuthority(WithKey(request.Create(subject, Generator(key), notBefore, notAfter, NewSerial()), key));
    }

    /// <exception cref="WhipOptionException">The files do not contain a CA that can sign now, and its key.</exception>
    public static CertificateAuthority Load(OutputFile cert, OutputFile key, DateTimeOffset now, bool signsCas = false)
    {
        var ca = new CertificateAuthority(PemFiles.LoadChainWithKey(cert.Flag, cert.Path, key.Flag, key.Path));
        Require(ca.Constraints is { CertificateAuthority: true }, "is not the certificate of a CA");
        var usage = ca.Certificate.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault();
        Require(usage?.KeyUsages.HasFlag(X509KeyUsageFlags.KeyCertSign) ?? true, "may not sign certificates: its key usage lacks keyCertSign");
        Require(!signsCas || ca.Constraints is not { HasPathLengthConstraint: true, PathLengthConstraint: 0 }, "may not sign another CA: its path length is 0");
        Require(ca.NotAfter > now, $"expired on {ca.NotAfter.ToUniversalTime():u}");
        return ca;

        void Require(bool isMet, string problem) => OptionText.Require(isMet, cert.Flag, cert.Path, problem, MakeOne);
    }

    public Validity Limit(Validity validity) => validity.NotAfter < NotAfter ? validity : validity with { NotAfter = NotAfter };

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
        if (leaf.Names.Length > 0)
        {
            request.CertificateExtensions.Add(AlternativeNames(leaf));
        }

        return Sign(request, key, new Validity(leaf.NotBefore, leaf.NotAfter));
    }

    /// <summary>The same for a CA that signs leaves.</summary>
    public X509Certificate2 IssueIntermediate(X500DistinguishedName subject, KeyType keyType, Validity validity)
    {
        using var key = NewKey(keyType);
        return Sign(CaRequest(subject, key, pathLength: 0), key, validity);
    }

    /// <summary>
    /// Why peers would refuse what this CA has signed; null if they would not. They judge by OpenSSL, so its verdict is asked for. That the
    /// chain ends here, perhaps without a root, is no fault.
    /// </summary>
    public string? Problem(X509Certificate2 signed, string names)
    {
        using var chain = new X509Chain { ChainPolicy = PeerVerifier.ChainPolicy(Chain, []) };
        chain.Build(signed);
        var faults = chain.ChainElements.SelectMany(element => element.ChainElementStatus).Where(status => (status.Status & Refusals) != 0).ToList();
        return faults switch
        {
            [] => null,
            [{ Status: X509ChainStatusFlags.HasNotPermittedNameConstraint or X509ChainStatusFlags.HasExcludedNameConstraint }, ..] =>
                $"its name constraints do not allow {names}",
            [var fault, ..] => $"peers would refuse what it signs: {fault.StatusInformation.Trim()}",
        };
    }

    private X509Certificate2 Sign(CertificateRequest request, AsymmetricAlgorithm key, Validity validity)
    {
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(
            Certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault()
            ?? new X509SubjectKeyIdentifierExtension(Certificate.PublicKey, critical: false)));
        using var issuerKey = (AsymmetricAlgorithm?)Certificate.GetECDsaPrivateKey() ?? Certificate.GetRSAPrivateKey()!;
        return WithKey(request.Create(Certificate.SubjectName, Generator(issuerKey), validity.NotBefore, validity.NotAfter, NewSerial()), key);
    }

    /// <summary>The first certificate, its issuer if that is among the others, and so on.</summary>
    private static IEnumerable<X509Certificate2> WithIssuers(X509Certificate2Collection certificates)
    {
        var others = certificates.Skip(1).ToList();
        for (var next = certificates[0]; next is not null;)
        {
            yield return next;
            others.Remove(next);
            next = IsSelfIssued(next) ? null : others.Find(other => IsName(other.SubjectName, next.IssuerName));
        }
    }

    private static bool IsSelfIssued(X509Certificate2 certificate) => IsName(certificate.SubjectName, certificate.IssuerName);

    private static bool IsName(X500DistinguishedName one, X500DistinguishedName other) => one.RawData.AsSpan().SequenceEqual(other.RawData);

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

        // RFC 5280, 4.1.2.6: critical when there is no subject.
        return names.Build(critical: leaf.Subject.Name.Length == 0);
    }

    private static AsymmetricAlgorithm NewKey(KeyType type) =>
        type == KeyType.Rsa ? RSA.Create(3072) : ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static CertificateRequest CaRequest(X500DistinguishedName subject, AsymmetricAlgorithm key, int pathLength)
    {
        var request = Request(subject, key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, pathLength, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request;
    }

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
