using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Whip.Cli.Pki;
using Whip.Protocol.Tls;

namespace Whip.Tests.Protocol.Tls;

public sealed class PeerVerifierTests
{
    private static readonly Certificates Certificates = TestCertificates.Shared;

    [Theory]
    [InlineData(SslProtocols.Tls12, "localhost")]
    [InlineData(SslProtocols.Tls13, "localhost")]
    [InlineData(SslProtocols.Tls13, "127.0.0.1")]
    [InlineData(SslProtocols.Tls13, "::1")]
    public async Task Both_sides_learn_who_the_other_is(SslProtocols version, string host)
    {
        var result = await TlsHandshake.RunAsync(
            Certificates.BrokerIdentity, Certificates.ClientIdentity("instance1.testdom"), host, version: version);
        Assert.True(result.Succeeded);
        Assert.Equal(version, result.Version);
        Assert.Equal(["instance1.testdom"], result.OfClient!.Value.Identity!.DnsNames);
        Assert.Equal(["localhost", "127.0.0.1", "::1"], result.OfServer!.Value.Identity!.Names);
    }

    [Fact]
    public async Task A_wildcard_over_a_single_label_names_a_broker()
    {
        var broker = TlsIdentity.Create([Issue(["*.testdom"], KeyPurpose.ServerAuth)], Certificates.Roots);
        Assert.True((await TlsHandshake.RunAsync(broker, Certificates.ClientIdentity("a.testdom"), "broker1.testdom")).Succeeded);
    }

    [Theory]
    [InlineData("of another CA", "the certificate (a.testdom) of the issuer CN=other CA was not issued by our CA")]
    [InlineData("expired", "the certificate (a.testdom) is valid from ")]
    [InlineData("without clientAuth", "the certificate (a.testdom) lacks the extended key usage clientAuth")]
    [InlineData("without any extended key usage", "lacks the extended key usage clientAuth")]
    [InlineData("where a broker is expected", "lacks the extended key usage serverAuth")]
    public async Task A_client_is_refused(string fault, string problem)
    {
        var client = fault switch
        {
            "of another CA" => Certificates.OtherCaClientIdentity("a.testdom"),
            "expired" => Certificates.ExpiredClientIdentity("a.testdom"),
            "without clientAuth" => Certificates.WrongRoleClientIdentity("a.testdom"),
            "without any extended key usage" => TlsIdentity.Create([Issue(["a.testdom"])], Certificates.Roots),
            _ => Certificates.ClientIdentity("a.testdom"),
        };
        var role = fault == "where a broker is expected" ? PeerRole.Broker : PeerRole.Client;
        var result = await TlsHandshake.RunAsync(Certificates.BrokerIdentity, client, peerRole: role);
        Assert.False(result.Succeeded);
        Assert.Contains(problem, result.OfClient!.Value.Problem);
    }

    [Fact]
    public async Task A_broker_may_call_a_broker() =>
        Assert.True((await TlsHandshake.RunAsync(Certificates.BrokerIdentity, Certificates.BrokerIdentity, peerRole: PeerRole.Broker)).Succeeded);

    [Fact]
    public async Task A_client_that_shows_no_certificate_is_refused()
    {
        var client = Certificates.ClientIdentity("a.testdom").ClientOptions("localhost", 0);
        client.ClientCertificateContext = null;
        var verdict = (await TlsHandshake.RunAsync(Certificates.BrokerIdentity, client, new PeerVerdictHolder())).OfClient;
        Assert.Equal((false, "the peer showed no certificate"), (verdict!.Value.IsTrusted, verdict.Value.Problem));
    }

    [Theory]
    [InlineData("of another CA", "was not issued by our CA")]
    [InlineData("expired", "the certificate (localhost, 127.0.0.1, ::1) is valid from ")]
    [InlineData("without serverAuth", "lacks the extended key usage serverAuth")]
    [InlineData("reached by a name it does not have", "does not cover broker2.example, only localhost, 127.0.0.1, ::1")]
    [InlineData("with nothing but a common name", "does not cover localhost, only (no names)")]
    public async Task A_broker_is_refused(string fault, string problem)
    {
        var broker = fault switch
        {
            "of another CA" => Certificates.OtherCaBrokerIdentity,
            "expired" => Certificates.ExpiredBrokerIdentity,
            "without serverAuth" => Certificates.WrongRoleBrokerIdentity,
            "with nothing but a common name" => Certificates.Identity(Certificates.BrokerLeaf() with { DnsNames = [], Addresses = [] }),
            _ => Certificates.BrokerIdentity,
        };
        var host = fault == "reached by a name it does not have" ? "broker2.example" : "localhost";
        var result = await TlsHandshake.RunAsync(broker, Certificates.ClientIdentity("a.testdom"), host);
        Assert.False(result.Succeeded);
        Assert.Contains(problem, result.OfServer!.Value.Problem);
    }

    [Fact]
    public void Certificate_text_reaches_a_verdict_printable_only()
    {
        var ca = CertificateAuthority.Create(Name("evil\u001b[31m"), KeyType.Ecdsa, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddHours(1));
        var leaf = ca.Issue(new LeafRequest(Name("a"), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddHours(1)));
        using var chain = new X509Chain { ChainPolicy = Certificates.BrokerIdentity.Verifier.ChainPolicy() };
        Assert.False(chain.Build(leaf));
        var verdict = Certificates.BrokerIdentity.Verifier.Verify(
            leaf, chain, SslPolicyErrors.RemoteCertificateChainErrors, PeerRole.Client, null);
        Assert.Contains("evil?[31m", verdict.Problem);
    }

    private static X500DistinguishedName Name(string commonName)
    {
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(commonName);
        return name.Build();
    }

    private static X509Certificate2 Issue(string[] names, params string[] purposes) =>
        Certificates.Issue(new LeafRequest(Name("leaf"), DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddHours(1))
        {
            DnsNames = names,
            Purposes = purposes,
        });
}
