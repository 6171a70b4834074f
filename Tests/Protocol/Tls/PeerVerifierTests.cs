using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Whip.Cli.Pki;
using Whip.Protocol.Tls;
using Whip.Tests.Support;
using Xunit;

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

    [Fact]
    public async Task A_client_of_another_CA_is_refused() =>
        await ClientIsRefused(Certificates.OtherCaClientIdentity("a.testdom"), "(issuer CN=other CA) was not issued by our CA");

    [Fact]
    public async Task An_expired_client_is_refused() =>
        await ClientIsRefused(Certificates.ExpiredClientIdentity("a.testdom"), "the certificate is valid from ");

    [Fact]
    public async Task A_client_without_clientAuth_is_refused() =>
        await ClientIsRefused(Certificates.WrongRoleClientIdentity("a.testdom"), "lacks the extended key usage clientAuth");

    [Fact]
    public async Task A_client_certificate_without_any_extended_key_usage_is_refused() =>
        await ClientIsRefused(TlsIdentity.Create([Issue(["a.testdom"])], Certificates.Roots), "lacks the extended key usage clientAuth");

    [Fact]
    public async Task A_client_is_refused_where_a_broker_is_expected() =>
        await ClientIsRefused(Certificates.ClientIdentity("a.testdom"), "lacks the extended key usage serverAuth", PeerRole.Broker);

    [Fact]
    public async Task A_broker_may_call_a_broker() =>
        Assert.True((await TlsHandshake.RunAsync(Certificates.BrokerIdentity, Certificates.BrokerIdentity, peerRole: PeerRole.Broker)).Succeeded);

    [Fact]
    public async Task A_client_that_shows_no_certificate_is_refused()
    {
        var client = Certificates.ClientIdentity("a.testdom").ClientOptions("localhost", 0);
        client.ClientCertificateContext = null;
        var verdict = await ServerVerdictAsync(client);
        Assert.False(verdict!.Value.IsTrusted);
        Assert.Equal("the peer showed no certificate", verdict.Value.Problem);
    }

    [Fact]
    public async Task A_broker_of_another_CA_is_refused() =>
        await BrokerIsRefused(Certificates.OtherCaBrokerIdentity, "localhost", "was not issued by our CA");

    [Fact]
    public async Task An_expired_broker_is_refused() =>
        await BrokerIsRefused(Certificates.ExpiredBrokerIdentity, "localhost", "the certificate is valid from ");

    [Fact]
    public async Task A_broker_without_serverAuth_is_refused() =>
        await BrokerIsRefused(Certificates.WrongRoleBrokerIdentity, "localhost", "lacks the extended key usage serverAuth");

    [Fact]
    public async Task A_broker_reached_by_a_name_it_does_not_have_is_refused() => await BrokerIsRefused(
        Certificates.BrokerIdentity, "broker2.example", "does not cover broker2.example, only localhost, 127.0.0.1, ::1");

    [Fact]
    public async Task The_common_name_is_no_name()
    {
        var unnamed = new LeafRequest(new X500DistinguishedName("CN=localhost"), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddHours(1))
        {
            Purposes = [KeyPurpose.ServerAuth],
        };
        var broker = TlsIdentity.Create([Certificates.Issue(unnamed)], Certificates.Roots);
        await BrokerIsRefused(broker, "localhost", "does not cover localhost, only (no names)");
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

    private static async Task ClientIsRefused(TlsIdentity client, string problem, PeerRole role = PeerRole.Client)
    {
        var result = await TlsHandshake.RunAsync(Certificates.BrokerIdentity, client, peerRole: role);
        Assert.False(result.Succeeded);
        Assert.Contains(problem, result.OfClient!.Value.Problem);
    }

    private static async Task BrokerIsRefused(TlsIdentity broker, string host, string problem)
    {
        var result = await TlsHandshake.RunAsync(broker, Certificates.ClientIdentity("a.testdom"), host);
        Assert.False(result.Succeeded);
        Assert.Contains(problem, result.OfServer!.Value.Problem);
    }

    private static async Task<PeerVerdict?> ServerVerdictAsync(SslClientAuthenticationOptions client) =>
        (await TlsHandshake.RunAsync(Certificates.BrokerIdentity, client, new PeerVerdictHolder())).OfClient;
}
