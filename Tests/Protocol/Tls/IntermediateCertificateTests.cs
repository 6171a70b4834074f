using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Whip.Cli.Pki;
using Whip.Protocol.Tls;

namespace Whip.Tests.Protocol.Tls;

public sealed class IntermediateCertificateTests
{
    private static readonly DateTimeOffset From = DateTimeOffset.UtcNow.AddHours(-1);
    private static readonly DateTimeOffset To = DateTimeOffset.UtcNow.AddHours(1);

    private readonly X509Certificate2 _root = NewCa("CN=root", null);
    private readonly X509Certificate2 _intermediate;

    public IntermediateCertificateTests() => _intermediate = NewCa("CN=intermediate", _root);

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_resumed_session_keeps_the_trust_of_the_first(SslProtocols version)
    {
        var (server, client) = (Identity("localhost", withRoot: true), Identity("a.testdom", withRoot: false));
        for (var i = 0; i < 4; i++)
        {
            var result = await TlsHandshake.RunAsync(server, client, version: version);
            Assert.True(result.Succeeded, $"handshake {i}: {result.OfClient} {result.OfServer}");
        }
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_leaf_without_its_intermediate_gets_the_same_verdict_before_and_after_somebody_else_sent_the_chain(SslProtocols version)
    {
        var server = Identity("localhost", withRoot: true);
        var (whole, alone) = (Identity("a.testdom", withRoot: false), TlsIdentity.Create([Leaf("b.testdom")], [_root]));
        foreach (var (client, isTrusted) in new[] { (alone, false), (whole, true), (alone, false), (whole, true), (alone, false) })
        {
            var result = await TlsHandshake.RunAsync(server, client, version: version);
            Assert.Equal(isTrusted, result.OfClient!.Value.IsTrusted);
        }
    }

    [Fact]
    public void A_chain_file_holds_the_leaf_and_its_intermediates()
    {
        using var folder = new TempFolder();
        using var leaf = Leaf("localhost");
        using var key = leaf.GetECDsaPrivateKey()!;
        var identity = TlsIdentity.Load(new WhipTlsOptions
        {
            CertPath = folder.Write("cert.pem", $"{leaf.ExportCertificatePem()}\n{_intermediate.ExportCertificatePem()}\n"),
            KeyPath = folder.Write("key.pem", key.ExportECPrivateKeyPem()),
            CaCertPath = folder.Write("ca.pem", _root.ExportCertificatePem()),
        });
        var shown = identity.ServerOptions(PeerRole.Client).ServerCertificateContext!.IntermediateCertificates;
        Assert.Equal(_intermediate.Thumbprint, Assert.Single(shown).Thumbprint);
    }

    private TlsIdentity Identity(string name, bool withRoot) =>
        TlsIdentity.Create(withRoot ? [Leaf(name), _intermediate, _root] : [Leaf(name), _intermediate], [_root]);

    private X509Certificate2 Leaf(string name) => new CertificateAuthority(_intermediate).Issue(
        new LeafRequest(new X500DistinguishedName("CN=leaf"), From, To) { DnsNames = [name], Purposes = [KeyPurpose.ServerAuth, KeyPurpose.ClientAuth] });

    private static X509Certificate2 NewCa(string name, X509Certificate2? issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return issuer is null ? request.CreateSelfSigned(From, To) : request.Create(issuer, From, To, [1]).CopyWithPrivateKey(key);
    }
}
