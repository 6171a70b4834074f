using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Whip.Protocol.Tls;

namespace Whip.Tests.Protocol.Tls;

public sealed class PeerIdentityTests
{
    [Theory]
    [InlineData("a.testdom", "a.testdom", true)]
    [InlineData("A.TestDom", "a.testdom", true)]
    [InlineData("a.testdom", "A.TESTDOM.", true)]
    [InlineData("a.testdom", "b.testdom", false)]
    [InlineData("a.testdom", "x.a.testdom", false)]
    [InlineData("*.testdom", "a.testdom", true)]
    [InlineData("*.testdom", "testdom", false)]
    [InlineData("*.testdom", "a.b.testdom", false)]
    [InlineData("*.testdom", ".testdom", false)]
    [InlineData("*.testdom", "*.testdom", false)]
    [InlineData("*.corp.example", "a.corp.example", true)]
    [InlineData("*.corp.example", "a.example", false)]
    [InlineData("a*.testdom", "ab.testdom", false)]
    [InlineData("*", "a", false)]
    [InlineData("*.*.testdom", "a.b.testdom", false)]
    [InlineData("127.0.0.1", "127.0.0.1", false)]
    public void A_DNS_name_covers_itself_and_a_wildcard_one_label(string san, string host, bool covered) =>
        Assert.Equal(covered, Leaf(names => names.AddDnsName(san)).Covers(host));

    [Theory]
    [InlineData("10.1.2.3", "10.1.2.3", true)]
    [InlineData("10.1.2.3", "10.1.2.4", false)]
    [InlineData("::1", "::1", true)]
    [InlineData("::1", "0:0:0:0:0:0:0:1", true)]
    [InlineData("::1", "127.0.0.1", false)]
    public void An_address_covers_itself(string san, string host, bool covered) =>
        Assert.Equal(covered, Leaf(names => names.AddIpAddress(IPAddress.Parse(san))).Covers(host));

    [Fact]
    public void All_names_are_listed_in_order()
    {
        var identity = Leaf(names =>
        {
            names.AddUri(new Uri("whip://cluster1/broker/b1"));
            names.AddEmailAddress("someone@example.org");
            names.AddDnsName("Broker1.Example");
            names.AddIpAddress(IPAddress.Loopback);
        });
        Assert.Equal(["whip://cluster1/broker/b1"], identity.Uris);
        Assert.Equal(["broker1.example"], identity.DnsNames);
        Assert.Equal([IPAddress.Loopback], identity.Addresses);
        Assert.Equal("whip://cluster1/broker/b1, broker1.example, 127.0.0.1", identity.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("30058703010203")]
    [InlineData("3003820180")]
    public void A_malformed_extension_names_nobody(string hex)
    {
        using var leaf = SelfSigned(new X509Extension("2.5.29.17", Convert.FromHexString(hex), false));
        Assert.Empty(PeerIdentity.FromLeaf(leaf).DnsNames);
        Assert.Empty(PeerIdentity.FromLeaf(leaf).Addresses);
    }

    private static PeerIdentity Leaf(Action<SubjectAlternativeNameBuilder> add)
    {
        var names = new SubjectAlternativeNameBuilder();
        add(names);
        using var leaf = SelfSigned(names.Build());
        return PeerIdentity.FromLeaf(leaf);
    }

    private static X509Certificate2 SelfSigned(X509Extension extension)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=a", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(extension);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddHours(1));
    }
}
