using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Options;

namespace Whip.Cli.Pki;

/// <summary>A certificate and its key as PEM files; keys in the forms the original reads, PKCS#1 and SEC1.</summary>
internal static class PemWriter
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Everyone = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Replaces both files or, when one of them cannot be written, neither.</summary>
    /// <param name="certificate">With its key.</param>
    /// <param name="intermediates">They follow the certificate in its file.</param>
    /// <param name="key">The file of the key.</param>
    /// <param name="cert">The file of the certificate.</param>
    /// <param name="replace">Whether files that exist are replaced.</param>
    /// <exception cref="WhipOptionException">A file cannot be written, or exists and is not to be replaced.</exception>
    public static void Write(X509Certificate2 certificate, IEnumerable<X509Certificate2> intermediates, OutputFile key, OutputFile cert, bool replace)
    {
        using var algorithm = (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey()!;
        var text = algorithm is RSA rsa ? rsa.ExportRSAPrivateKeyPem() : ((ECDsa)algorithm).ExportECPrivateKeyPem();
        var chain = string.Concat(intermediates.Prepend(certificate).Select(one => $"{one.ExportCertificatePem()}\n"));
        using var keyFile = StagedFile.Create(key, $"{text}\n", OwnerOnly);
        using var certFile = StagedFile.Create(cert, chain, Everyone);
        keyFile.Commit(replace);
        certFile.Commit(replace);
    }
}
