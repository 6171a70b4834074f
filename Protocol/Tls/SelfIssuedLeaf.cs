using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Whip.Protocol.Tls;

/// <summary>
/// Leaves of the original's <c>whiphack pki</c>: their subject is their CA's and no authority key identifier distinguishes
/// the two, so OpenSSL takes such a leaf for a self-signed root and never looks for its issuer. Its signature is checked here.
/// </summary>
internal static class SelfIssuedLeaf
{
    private const string Sha256WithRsa = "1.2.840.113549.1.1.11";
    private const string NameConstraints = "2.5.29.30";

    /// <summary>What such a chain is blamed for and is innocent of when one of our roots signed the leaf.</summary>
    public const X509ChainStatusFlags MistakenForRoot =
        X509ChainStatusFlags.NotSignatureValid | X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain;

    /// <summary>Whether <paramref name="leaf"/>, alone in its chain, is signed by one of the chain's custom roots of the same name.</summary>
    public static bool IsIssuedByRoot(X509Certificate2 leaf, X509Chain chain) =>
        chain.ChainElements.Count == 1
        && leaf.IssuerName.RawData.AsSpan().SequenceEqual(leaf.SubjectName.RawData)
        && chain.ChainPolicy.CustomTrustStore.Any(root => IsSignedBy(leaf, root) && MaySign(root, chain.ChainPolicy));

    private static bool IsSignedBy(X509Certificate2 leaf, X509Certificate2 root)
    {
        using var key = root.GetRSAPublicKey();
        if (key is null || !root.SubjectName.RawData.AsSpan().SequenceEqual(leaf.IssuerName.RawData))
        {
            return false;
        }

        try
        {
            var certificate = new AsnReader(leaf.RawData, AsnEncodingRules.DER).ReadSequence();
            var signed = certificate.ReadEncodedValue();
            var algorithm = certificate.ReadSequence().ReadObjectIdentifier();
            var signature = certificate.ReadBitString(out _);
            return algorithm == Sha256WithRsa
                && key.VerifyData(signed.Span, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    private static bool MaySign(X509Certificate2 root, X509ChainPolicy policy)
    {
        var isCa = root.Extensions.OfType<X509BasicConstraintsExtension>().Any(extension => extension.CertificateAuthority);
        var signs = root.Extensions.OfType<X509KeyUsageExtension>().All(extension => extension.KeyUsages.HasFlag(X509KeyUsageFlags.KeyCertSign));
        if (!isCa || !signs || root.Extensions[NameConstraints] is not null)
        {
            return false;
        }

        using var own = new X509Chain { ChainPolicy = PeerVerifier.ChainPolicy(policy.CustomTrustStore, policy.ApplicationPolicy) };
        return own.Build(root);
    }
}
