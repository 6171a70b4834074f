namespace Whip.Protocol.Tls;

/// <summary>The certificate, key and CA of one program; PEM files. Keys may be PKCS#1, PKCS#8 or SEC1, RSA or EC.</summary>
public sealed class WhipTlsOptions
{
    /// <summary>Mutual TLS on every connection; default true. Off, every listener and connection is plain.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>The private key of <see cref="CertPath"/>.</summary>
    public string? KeyPath { get; set; }

    /// <summary>The leaf, followed by its intermediates if there are any.</summary>
    public string? CertPath { get; set; }

    /// <summary>The CAs whose peers are accepted.</summary>
    public string? CaCertPath { get; set; }

    /// <summary>
    /// Certificates to refuse all the same; default none. One per line: a pattern for a subject alternative name, or <c>ISSUER-KEY-ID:SERIAL</c>.
    /// Read again when it changes: connections of a certificate that it matches are ended.
    /// </summary>
    public string? DenyPath { get; set; }
}
