using System.Text;
using Whip.Client;
using Whip.Protocol.Dialing;

namespace Whip.Tests.Client;

/// <summary>The leg of a real agent at a real broker, used for one dial after the other.</summary>
public sealed class KeptLegTests
{
    [Theory, PlainAndTls]
    public async Task Dials_one_after_the_other_share_a_leg(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var service = await RealService.StartAsync(broker, tls, connection => connection.EchoAsync());
        var dialer = Dialer(broker);
        for (var i = 0; i < 20; i++)
        {
            await EchoAsync(dialer, service, $"dial {i}");
            await Patience.UntilAsync(() => broker.Parts.KeptLegs.Count == 1, "the leg to be kept");
        }

        await broker.AssertNothingLeftAsync();
        Assert.Contains("whip_broker_kept_reused_total{listener=\"rendezvous\"} 19\n", await broker.ScrapeAsync());
        Assert.Contains("whip_broker_kept_connections{listener=\"rendezvous\"} 1\n", await broker.ScrapeAsync());
        Assert.Contains("whip_broker_relays 0\n", await broker.ScrapeAsync());
        Assert.Single(broker.Logs.Records, record => record.Event.Name == "LegArrived");
    }

    [Theory, PlainAndTls]
    public async Task An_agent_that_does_not_keep_them_brings_one_for_each(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var service = await RealService.StartAsync(broker, tls, connection => connection.EchoAsync(), options => options.Keep = false);
        var dialer = Dialer(broker);
        for (var i = 0; i < 3; i++)
        {
            await EchoAsync(dialer, service, $"dial {i}");
        }

        await broker.AssertNothingLeftAsync();
        Assert.Equal(0, broker.Parts.KeptLegs.Count);
        Assert.Equal(3, broker.Logs.Records.Count(record => record.Event.Name == "LegArrived"));
    }

    [Theory, PlainAndTls]
    public async Task An_agent_that_leaves_takes_its_legs_along(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using (var service = await RealService.StartAsync(broker, tls, connection => connection.EchoAsync()))
        {
            await EchoAsync(Dialer(broker), service, "one");
            await Patience.UntilAsync(() => broker.Parts.KeptLegs.Count == 1, "the leg to be kept");
        }

        await Patience.UntilAsync(() => broker.Parts.KeptLegs.Count == 0, "no leg");
    }

    private static WhipDialer Dialer(TestBroker broker) =>
        new(new WhipDialerOptions { Brokers = [$"{broker.Broker.DialEndPoint}"] }, broker.Client("dialer.testdom"), TimeProvider.System, first: 0);

    private static async Task EchoAsync(WhipDialer dialer, RealService service, string text)
    {
        await using var stream = await dialer.DialAsync("web.testdom", service.Port).WaitAsync(Patience.Long);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text));
        await stream.CompleteWritesAsync();
        Assert.Equal(text, Encoding.ASCII.GetString(await stream.ReadToEndAsync()));
    }
}
