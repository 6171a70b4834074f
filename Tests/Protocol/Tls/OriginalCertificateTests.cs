using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Tls;

namespace Whip.Tests.Protocol.Tls;

/// <summary>Certificates of the original's tool work, and the way around OpenSSL that they need lets nobody else in.</summary>
public sealed class OriginalCertificateTests(OriginalCertificateTests.Issued issued) : IClassFixture<OriginalCertificateTests.Issued>
{
    public sealed class Issued : IDisposable
    {
        internal OriginalCertificates Certificates { get; } = new();

        internal OriginalCertificates Others { get; } = new();

        public void Dispose()
        {
            Certificates.Dispose();
            Others.Dispose();
        }
    }

    private OriginalCertificates Certificates => issued.Certificates;

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Its_client_and_server_trust_each_other(SslProtocols version)
    {
        var (server, client) = (Certificates.Server("localhost"), Certificates.Client("*.testdom"));
        for (var i = 0; i < 3; i++)
        {
            var result = await TlsHandshake.RunAsync(server, client, version: version);
            Assert.True(result.Succeeded, $"{result.OfClient} {result.OfServer}");
            Assert.True(result.OfClient!.Value.Identity!.Covers("instance1.testdom"));
        }
    }

    [Theory]
    [InlineData("that its CA did not sign", "not issued by our CA")]
    [InlineData("of another CA with the same subject", "not issued by our CA")]
    [InlineData("that expired", "the certificate (a.testdom) is valid from")]
    [InlineData("without the role", "lacks the extended key usage clientAuth")]
    public async Task A_leaf_is_refused(string fault, string problem)
    {
        var client = fault switch
        {
            "that its CA did not sign" => Certificates.ForgedClient("a.testdom"),
            "of another CA with the same subject" => TlsIdentity.Create([issued.Others.Leaf("a.testdom", KeyPurpose.ClientAuth)], [Certificates.Ca]),
            "that expired" => Certificates.ExpiredClient("a.testdom"),
            _ => TlsIdentity.Create([Certificates.Leaf("a.testdom", KeyPurpose.ServerAuth)], [Certificates.Ca]),
        };
        var result = await TlsHandshake.RunAsync(Certificates.Server("localhost"), client);
        Assert.False(result.Succeeded);
        Assert.Contains(problem, result.OfClient!.Value.Problem);
    }

    [Fact]
    public async Task A_root_that_is_no_CA_signs_nothing()
    {
        using var other = new OriginalCertificates(isCa: false);
        var result = await TlsHandshake.RunAsync(other.Server("localhost"), other.Client("a.testdom"));
        Assert.False(result.Succeeded);
        Assert.Contains("not issued by our CA", result.OfServer!.Value.Problem);
    }

    [Fact]
    public void Its_files_load()
    {
        using var folder = new TempFolder();
        using var leaf = Certificates.Leaf("localhost", KeyPurpose.ServerAuth);
        using var key = leaf.GetRSAPrivateKey()!;
        var identity = TlsIdentity.Load(new WhipTlsOptions
        {
            CertPath = folder.Write("cert.pem", leaf.ExportCertificatePem()),
            KeyPath = folder.Write("key.pem", key.ExportRSAPrivateKeyPem()),
            CaCertPath = folder.Write("ca-cert.pem", Certificates.Ca.ExportCertificatePem()),
        });
        Assert.True(identity.Names.Covers("localhost"));
    }
}
