using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Options;

namespace Whip.Cli.Pki;

/// <summary>What every <c>whip pki</c> command takes.</summary>
internal sealed class PkiOptions
{
    // Clocks of the machines that check a new certificate may be that much behind.
    private static readonly TimeSpan Backdate = TimeSpan.FromMinutes(5);

    private readonly Option<TimeSpan?> _validity = CliOptions.Duration(
        "--validity-duration", "How long the certificate is valid, at most until its CA ends [default: 720h]");

    private readonly Option<KeyType> _keyType = new("--key-type")
    {
        Description = "Kind of the new key: ecdsa is P-256, rsa has 3072 bits [default: ecdsa]",
        HelpName = "ecdsa|rsa",
        CustomParser = result => result.Tokens[0].Value switch
        {
            "ecdsa" => Pki.KeyType.Ecdsa,
            "rsa" => Pki.KeyType.Rsa,
            var other => throw new WhipOptionException("--key-type", other, "not a kind of key", "ecdsa or rsa"),
        },
    };

    private readonly SubjectOptions _subject = new();

    public Option<string> CaCertPath { get; } = CliOptions.Text("--ca-cert-path", "The CA's certificate, PEM", "ca-cert.pem");

    public Option<string> CaKeyPath { get; } = CliOptions.Text("--ca-key-path", "The CA's private key, PEM", "ca-key.pem");

    public IEnumerable<Option> All => [CaCertPath, CaKeyPath, _validity, _keyType, .. _subject.All];

    public KeyType KeyType(ParseResult parsed) => parsed.GetValue(_keyType);

    public X500DistinguishedName Subject(ParseResult parsed, string commonName) => _subject.Build(parsed, commonName);

    public (DateTimeOffset NotBefore, DateTimeOffset NotAfter) Validity(ParseResult parsed, DateTimeOffset now) =>
        (now - Backdate, now + (parsed.GetValue(_validity) ?? TimeSpan.FromHours(720)));
}
