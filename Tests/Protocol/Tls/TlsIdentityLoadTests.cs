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
            "SEC1 with parameters" => $"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{leaf.GetECDsaPrivateKey()!.ExportECPrivateKeyPem()}",
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

    [Fact]
    public void A_path_that_was_not_given()
    {
        _options.KeyPath = null;
        Says("Tls.KeyPath \"\": is required with TLS; try Tls.KeyPath FILE, or Tls.Enabled=false");
    }

    [Fact]
    public void A_file_that_does_not_exist()
    {
        _options.CaCertPath = _folder.PathOf("none.pem");
        Says($"Tls.CaCertPath \"{_options.CaCertPath}\": does not exist; try whip pki");
    }

    [Fact]
    public void A_folder_where_a_file_is_due()
    {
        _options.CertPath = _folder.FullName;
        Says($"Tls.CertPath \"{_folder.FullName}\": is a directory");
    }

    [Fact]
    public void A_certificate_that_is_not_PEM()
    {
        _options.CertPath = _folder.Write("cert.der", "0\u0082\u0001");
        Says($"Tls.CertPath \"{_options.CertPath}\": holds no PEM certificate; try openssl x509 -inform der -in {_options.CertPath}");
    }

    [Fact]
    public void A_damaged_certificate()
    {
        _options.CertPath = _folder.Write("cert.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        Says($"Tls.CertPath \"{_options.CertPath}\": holds a damaged certificate");
    }

    [Fact]
    public void A_key_file_without_a_key()
    {
        _options.KeyPath = _options.CertPath;
        Says($"Tls.KeyPath \"{_options.CertPath}\": holds no PEM private key");
    }

    [Theory]
    [InlineData("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n")]
    public void An_encrypted_key(string pem)
    {
        _options.KeyPath = _folder.Write("key.pem", pem);
        Says($"Tls.KeyPath \"{_options.KeyPath}\": is encrypted; try openssl pkey -in {_options.KeyPath}");
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

    [Fact]
    public void A_damaged_key()
    {
        _options.KeyPath = _folder.Write("key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        Says($"Tls.KeyPath \"{_options.KeyPath}\": is damaged");
    }

    [Fact]
    public void Our_own_certificate_has_expired()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(31));
        Says($"Tls.CertPath \"{_options.CertPath}\": expired on 20", time);
    }

    private void Says(string message, TimeProvider? time = null) =>
        Assert.StartsWith(message, Assert.Throws<WhipOptionException>(() => TlsIdentity.Load(_options, time)).Message, StringComparison.Ordinal);

    private static X509Certificate2 Leaf(bool rsa) => TestCertificates.Shared.Issue(
        new LeafRequest(new X500DistinguishedName("CN=leaf"), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddHours(1))
        {
            KeyType = rsa ? KeyType.Rsa : KeyType.Ecdsa,
            Purposes = [KeyPurpose.ServerAuth],
        });
}
