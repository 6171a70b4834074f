using System.Security.Cryptography.X509Certificates;

namespace Whip.Protocol.Tls;

/// <summary>The two extended key usages that make roles.</summary>
internal static class KeyPurpose
{
    public const string ServerAuth = "1.3.6.1.5.5.7.3.1";

    public const string ClientAuth = "1.3.6.1.5.5.7.3.2";

    /// <summary>Whether the certificate names the usage. A certificate that names none is good for none.</summary>
    public static bool Has(X509Certificate2 certificate, string purpose)
    {
        foreach (var extension in certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>())
        {
            foreach (var oid in extension.EnhancedKeyUsages)
            {
                if (oid.Value == purpose)
                {
                    return true;
                }
            }
        }

        return false;
    }
}
