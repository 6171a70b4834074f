using Whip.Agent.Homes;
using Xunit;

namespace Whip.Tests.Agent.Homes;

public sealed class BrokerEndpointTests
{
    [Theory]
    [InlineData(":50051", "127.0.0.1:50051")]
    [InlineData("brokers.example:1", "brokers.example:1")]
    [InlineData("[::1]:50051", "[::1]:50051")]
    public void An_endpoint_is_a_host_and_a_port(string text, string authority)
    {
        Assert.True(BrokerEndpoint.TryParse(text, out var endpoint));
        Assert.Equal(authority, endpoint.Authority);
    }

    [Theory]
    [InlineData("")]
    [InlineData("brokers.example")]
    [InlineData("brokers.example:0")]
    [InlineData("brokers.example:65536")]
    [InlineData("not a name:50051")]
    [InlineData("::1:50051")]
    public void What_is_none_is_refused(string text) => Assert.False(BrokerEndpoint.TryParse(text, out _));
}
