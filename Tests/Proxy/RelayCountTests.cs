using Whip.Tests.Client;

namespace Whip.Tests.Proxy;

/// <summary>What a broker counts of a proxy's connections.</summary>
public sealed class RelayCountTests
{
    [Fact]
    public async Task An_idle_connection_that_the_proxy_keeps_is_a_relay_of_the_broker_until_it_ends()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var service = await RealService.StartAsync(broker, tls: false, async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
            await connection.WaitForEndAsync();
        });
        await using var proxy = await ProxyRun.StartAsync(configure: options => options.Dialer = broker.Broker, time: time);
        using var http = proxy.CreateClient();
        Assert.Equal("hello", await http.GetStringAsync(new Uri($"http://web.testdom:{service.Port}/")).WaitAsync(Patience.Long));
        Assert.Contains("\nwhip_broker_relays 1\n", await broker.ScrapeAsync());

        // Until then nothing but the passing of time ends it.
        await Patience.UntilAsync(
            async () =>
            {
                time.Advance(TimeSpan.FromSeconds(5));
                return (await broker.ScrapeAsync()).Contains("\nwhip_broker_relays 0\n", StringComparison.Ordinal);
            },
            "the end of the relay");
    }
}
