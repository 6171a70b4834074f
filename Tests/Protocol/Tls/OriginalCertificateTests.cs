using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Tls;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Protocol.Tls;

/// <summary>Certificates of the original's tool work, and the way around OpenSSL that they need lets nobody else in.</summary>
public sealed class OriginalCertificateTests(OriginalCertificateTests.Issued issued) : IClassFixture<OriginalCertificateTests.Issued>
{
    public sealed class Issued : IDisposable
    {
        internal OriginalCertificates Certificates { get; } = new();

        public void Dispose() => Certificates.Dispose();
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

    [Fact]
    public async Task A_leaf_that_its_CA_did_not_sign_is_refused() => await IsRefused(Certificates.ForgedClient("a.testdom"), "not issued by our CA");

    [Fact]
    public async Task An_expired_leaf_is_refused() => await IsRefused(Certificates.ExpiredClient("a.testdom"), "the certificate is valid from");

    [Fact]
    public async Task A_leaf_without_the_role_is_refused()
    {
        using var leaf = Certificates.Leaf("a.testdom", KeyPurpose.ServerAuth);
        await IsRefused(TlsIdentity.Create([leaf], [Certificates.Ca]), "lacks the extended key usage clientAuth");
    }

    [Fact]
    public async Task A_leaf_of_another_CA_with_the_same_subject_is_refused()
    {
        using var other = new OriginalCertificates();
        using var leaf = other.Leaf("a.testdom", KeyPurpose.ClientAuth);
        await IsRefused(TlsIdentity.Create([leaf], [Certificates.Ca]), "not issued by our CA");
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

    private async Task IsRefused(TlsIdentity client, string problem)
    {
        var result = await TlsHandshake.RunAsync(Certificates.Server("localhost"), client);
        Assert.False(result.Succeeded);
        Assert.Contains(problem, result.OfClient!.Value.Problem);
    }
}
