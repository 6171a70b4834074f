using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Whip.Cli.Pki;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Tests.Protocol.Tls;

public sealed class TlsIdentityLoadTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly WhipTlsOptions _options;

    public TlsIdentityLoadTests() => _options = TestCertificates.Shared.WriteFiles(_folder.FullName);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, "SEC1")]
    [InlineData(false, "SEC1 with parameters")]
    [InlineData(false, "PKCS#8")]
    [InlineData(true, "PKCS#1")]
    [InlineData(true, "PKCS#8")]
    public void Keys_of_every_form_load_and_sign(bool rsa, string form)
    {
        using var leaf = Leaf(rsa);
        _options.CertPath = _folder.Write("cert.pem", $"text that is not PEM\n{leaf.ExportCertificatePem()}");
        _options.KeyPath = _folder.Write("key.pem", form switch
        {
            "SEC1" => leaf.GetECDsaPrivateKey()!.ExportECPrivateKeyPem(),
            "SEC1 with parameters" => Pem("EC PARAMETERS", "BggqhkjOPQMBBw==") + leaf.GetECDsaPrivateKey()!.ExportECPrivateKeyPem(),
            "PKCS#1" => leaf.GetRSAPrivateKey()!.ExportRSAPrivateKeyPem(),
            _ => ((AsymmetricAlgorithm?)leaf.GetECDsaPrivateKey() ?? leaf.GetRSAPrivateKey()!).ExportPkcs8PrivateKeyPem(),
        });
        Assert.True(TlsIdentity.Load(_options).Certificate.HasPrivateKey);
    }

    [Fact]
    public async Task Loaded_identities_shake_hands()
    {
        var client = TlsIdentity.Load(TestCertificates.Shared.WriteClientFiles(_folder.FullName, "*.testdom"));
        Assert.True((await TlsHandshake.RunAsync(TlsIdentity.Load(_options), client)).Succeeded);
    }

    public static TheoryData<string, string?, string> Faults => new()
    {
        { "key", null, "Tls.KeyPath \"\": is required with TLS; try Tls.KeyPath FILE, or Tls.Enabled=false" },
        { "ca", "none.pem", "Tls.CaCertPath \"FILE\": does not exist; try whip pki" },
        { "cert", "", "Tls.CertPath \"FILE\": is a directory" },
        { "cert", "0\u0082\u0001", "Tls.CertPath \"FILE\": holds no PEM certificate; try openssl x509 -inform der -in FILE" },
        { "cert", Pem("CERTIFICATE", "AAAA"), "Tls.CertPath \"FILE\": holds a damaged certificate" },
        { "key", Pem("CERTIFICATE", "AAAA"), "Tls.KeyPath \"FILE\": holds no PEM private key" },
        { "key", Pem("ENCRYPTED PRIVATE KEY", "AAAA"), "Tls.KeyPath \"FILE\": is encrypted; try openssl pkey -in FILE" },
        {
            "key", Pem("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA"),
            "Tls.KeyPath \"FILE\": is encrypted; try openssl pkey -in FILE"
        },
        { "key", Pem("PRIVATE KEY", "AAAA"), "Tls.KeyPath \"FILE\": is damaged" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_file_that_cannot_be_used_is_named_with_what_to_try(string option, string? content, string message)
    {
        var path = content switch
        {
            null => null,
            "" => _folder.FullName,
            "none.pem" => _folder.PathOf(content),
            _ => _folder.Write("fault.pem", content),
        };
        (_options.KeyPath, _options.CertPath, _options.CaCertPath) = option switch
        {
            "key" => (path, _options.CertPath, _options.CaCertPath),
            "cert" => (_options.KeyPath, path, _options.CaCertPath),
            _ => (_options.KeyPath, _options.CertPath, path),
        };
        Says(message.Replace("FILE\"", $"{path}\"").Replace("-in FILE", $"-in {path}"));
    }

    [Theory]
    [InlineData(false, "is not the key of the certificate in")]
    [InlineData(true, "is damaged, or of another kind than the certificate in")]
    public void The_key_of_another_certificate(bool rsa, string problem)
    {
        using var other = Leaf(rsa);
        using var key = (AsymmetricAlgorithm?)other.GetECDsaPrivateKey() ?? other.GetRSAPrivateKey()!;
        _options.KeyPath = _folder.Write("key.pem", key.ExportPkcs8PrivateKeyPem());
        Says($"Tls.KeyPath \"{_options.KeyPath}\": {problem} {_options.CertPath}; try ");
    }

    [SkippableTheory]
    [InlineData("ed25519", "Ed25519")]
    [InlineData("ed448", "Ed448")]
    [InlineData("rsa-pss", "RSA-PSS")]
    public async Task A_kind_of_key_that_is_not_supported_is_named(string algorithm, string name)
    {
        Skip.IfNot(File.Exists("/usr/bin/openssl"), "needs openssl");
        (_options.CertPath, _options.KeyPath) = (_folder.PathOf("cert.pem"), _folder.PathOf("key.pem"));
        await ShellCommand.RunAsync(
            _folder.FullName, "openssl", "req", "-x509", "-newkey", algorithm, "-nodes", "-subj", "/CN=a",
            "-out", _options.CertPath, "-keyout", _options.KeyPath);
        Says($"Tls.CertPath \"{_options.CertPath}\": has a key of the kind {name}: this kind of key is not supported here: use ECDSA or RSA");
    }

    [Fact]
    public void Our_own_certificate_is_not_valid_yet()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(-1));
        Says($"Tls.CertPath \"{_options.CertPath}\": is not valid before 20", time);
    }

    [Theory]
    [InlineData(true, "lacks the extended key usage serverAuth, which a broker needs; try whip pki createandsign server")]
    [InlineData(false, "lacks the extended key usage clientAuth, which agents and dialers need; try whip pki createandsign client")]
    public void Our_own_certificate_lacks_the_usage_of_the_role(bool isBroker, string problem)
    {
        var leaf = Certificates.ClientLeaf("a.testdom") with { Purposes = [isBroker ? KeyPurpose.ClientAuth : KeyPurpose.ServerAuth] };
        var files = TestCertificates.Shared.WriteFiles(_folder.FullName, "own", TestCertificates.Shared.Identity(leaf));
        var role = isBroker ? PeerRole.Broker : PeerRole.Client;
        Assert.Equal(
            $"Tls.CertPath \"{files.CertPath}\": {problem}", Assert.Throws<WhipOptionException>(() => TlsIdentity.Load(files, role: role)).Message);
    }

    [Fact]
    public void Our_own_certificate_has_expired()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(31));
        Says($"Tls.CertPath \"{_options.CertPath}\": expired on 20", time);
    }

    private void Says(string message, TimeProvider? time = null) =>
        Assert.StartsWith(message, Assert.Throws<WhipOptionException>(() => TlsIdentity.Load(_options, time)).Message, StringComparison.Ordinal);

    private static string Pem(string label, string content) => $"-----BEGIN {label}-----\n{content}\n-----END {label}-----\n";

    private static X509Certificate2 Leaf(bool rsa) => TestCertificates.Shared.Issue(
        new LeafRequest(new X500DistinguishedName("CN=leaf"), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddHours(1))
        {
            KeyType = rsa ? KeyType.Rsa : KeyType.Ecdsa,
            Purposes = [KeyPurpose.ServerAuth],
        });
}
