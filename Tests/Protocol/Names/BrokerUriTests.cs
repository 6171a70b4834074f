using Whip.Protocol.Names;

namespace Whip.Tests.Protocol.Names;

public sealed class BrokerUriTests
{
    [Theory]
    [InlineData("whip", true)]
    [InlineData("prod.eu-1", true)]
    [InlineData("10.1", true)]
    [InlineData("-", true)]
    [InlineData("Whip", false)]
    [InlineData("a_b", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("é", false)]
    [InlineData(".a", false)]
    [InlineData("a.", false)]
    [InlineData("a..b", false)]
    [InlineData("", false)]
    public void A_cluster_id_is_what_a_certificate_can_have_as_a_host(string id, bool isOne) => Assert.Equal(isOne, BrokerUri.IsClusterId(id));

    [Theory]
    [InlineData("broker-1", true)]
    [InlineData("B_1.eu", true)]
    [InlineData("...", true)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("a%41", false)]
    [InlineData("é", false)]
    [InlineData("", false)]
    public void A_broker_id_is_what_a_certificate_can_have_as_a_path(string id, bool isOne) => Assert.Equal(isOne, BrokerUri.IsBrokerId(id));

    [Theory]
    [InlineData(63, true)]
    [InlineData(64, false)]
    public void An_id_has_at_most_63_characters(int length, bool isOne)
    {
        var id = new string('a', length);
        Assert.Equal((isOne, isOne), (BrokerUri.IsClusterId(id), BrokerUri.IsBrokerId(id)));
    }

    [Theory]
    [InlineData("prod.eu-1", "B_1.eu")]
    [InlineData("127.1", "...")]
    [InlineData("-", "-._")]
    [InlineData("0x1", "a.")]
    public void A_certificate_says_the_ids_as_they_are_written(string clusterId, string brokerId)
    {
        var uri = BrokerUri.Format(clusterId, brokerId);
        Assert.Equal(uri, new Uri(uri).AbsoluteUri);
    }
}
