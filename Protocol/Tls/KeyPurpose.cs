using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Whip.Protocol.Tls;

/// <summary>The two extended key usages that make roles.</summary>
internal static class KeyPurpose
{
    public const string ServerAuth = "1.3.6.1.5.5.7.3.1";

    public const string ClientAuth = "1.3.6.1.5.5.7.3.2";

    /// <summary>Whether the certificate names the usage. A certificate without the extension is valid for no usage.</summary>
    public static bool Has(X509Certificate2 certificate, string purpose) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>()
            .Any(extension => extension.EnhancedKeyUsages.Cast<Oid>().Any(oid => oid.Value == purpose));
}
