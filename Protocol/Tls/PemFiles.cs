using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Options;

namespace Whip.Protocol.Tls;

/// <summary>Certificates and keys from PEM files. An error names the option of the file.</summary>
internal static class PemFiles
{
    private const string Rsa = "1.2.840.113549.1.1.1";
    private const string EllipticCurve = "1.2.840.10045.2.1";
    private const string MakeOne = "whip pki, which makes such files";

    /// <summary>All certificates of a file, in its order.</summary>
    /// <exception cref="WhipOptionException">The file cannot be read or holds no certificate.</exception>
    public static X509Certificate2Collection LoadCertificates(string option, string? path)
    {
        var text = ReadText(option, path);
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(text);
        }
        catch (CryptographicException)
        {
            throw new WhipOptionException(option, path!, "holds a damaged certificate", MakeOne);
        }

        return certificates.Count > 0
            ? certificates
            : throw new WhipOptionException(option, path!, "holds no PEM certificate", $"openssl x509 -inform der -in {path} if it is DER");
    }

    /// <summary>A leaf with its private key, then the other certificates of its file.</summary>
    /// <exception cref="WhipOptionException">A file cannot be read, or the key is not the leaf's.</exception>
    public static X509Certificate2Collection LoadChainWithKey(string certOption, string? certPath, string keyOption, string? keyPath)
    {
        var chain = LoadCertificates(certOption, certPath);
        if (chain[0].PublicKey.Oid.Value is not (Rsa or EllipticCurve) and var kind)
        {
            var name = kind switch { "1.3.101.112" => "Ed25519", "1.3.101.113" => "Ed448", "1.2.840.113549.1.1.10" => "RSA-PSS", _ => kind };
            throw new WhipOptionException(certOption, certPath!, $"has a key of the kind {name}: this kind of key is not supported here: use ECDSA or RSA");
        }

        var text = ReadText(keyOption, keyPath);
        if (!text.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
        {
            throw new WhipOptionException(keyOption, keyPath!, "holds no PEM private key", MakeOne);
        }

        if (text.Contains("ENCRYPTED", StringComparison.Ordinal))
        {
            throw new WhipOptionException(keyOption, keyPath!, "is encrypted", $"openssl pkey -in {keyPath}, which writes it without a pass phrase");
        }

        try
        {
            chain[0] = X509Certificate2.CreateFromPem(chain[0].ExportCertificatePem(), text);
            return chain;
        }
        catch (Exception error) when (error is ArgumentException or CryptographicException { InnerException: ArgumentException })
        {
            throw new WhipOptionException(keyOption, keyPath!, $"is not the key of the certificate in {certPath}", "the key file written with it");
        }
        catch (CryptographicException)
        {
            throw new WhipOptionException(keyOption, keyPath!, $"is damaged, or of another kind than the certificate in {certPath}", MakeOne);
        }
    }

    /// <summary>The same for a certificate that this program shows, which must be valid now.</summary>
    /// <exception cref="WhipOptionException">It is not, or cannot be read.</exception>
    public static X509Certificate2Collection LoadShown(string certOption, string? certPath, string keyOption, string? keyPath, DateTimeOffset now)
    {
        var chain = LoadChainWithKey(certOption, certPath, keyOption, keyPath);
        DateTimeOffset from = chain[0].NotBefore;
        DateTimeOffset to = chain[0].NotAfter;
        return to <= now ? throw new WhipOptionException(certOption, certPath, $"expired on {to:u}", "a new one: whip pki createandsign")
            : from > now ? throw new WhipOptionException(
                certOption, certPath, $"is not valid before {from:u}", "setting this machine's clock, or whip pki createandsign")
            : chain;
    }

    private static string ReadText(string option, string? path)
    {
        if (string.IsNullOrEmpty(path))
        {
            throw new WhipOptionException(option, "", "is required with TLS", $"{{{option}}} FILE, or {{Tls.Enabled}}=false");
        }

        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var problem = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "does not exist",
                _ when Directory.Exists(path) => "is a directory",
                UnauthorizedAccessException => "is not readable by this user",
                _ => "cannot be read",
            };
            throw new WhipOptionException(option, path, problem, MakeOne);
        }
    }
}
