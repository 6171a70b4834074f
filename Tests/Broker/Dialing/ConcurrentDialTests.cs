using System.Text;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker.Dialing;

/// <summary>Many dials at once: each gets the leg that was asked for it, and none leaves anything behind.</summary>
public sealed class ConcurrentDialTests
{
    private const string Patient = "Whip-Deadline: 60000\r\n";

    [Theory, PlainAndTls]
    public async Task Sockets_swapped_between_concurrent_dials(bool tls)
    {
        const int Dials = 60;
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync("instance1.testdom", 80, 443);
        var dialers = Enumerable.Range(0, Dials).Select(async i =>
        {
            var port = i % 2 == 0 ? 80 : 443;
            var (leg, head) = await broker.SendAsync($"CONNECT instance1.testdom:{port} HTTP/1.1\r\n{Patient}\r\n{i:0000}");
            await using (leg)
            {
                Assert.StartsWith("HTTP/1.1 200 ", head);
                Assert.Equal($"{i:0000} came to {port:000}", Encoding.ASCII.GetString(await leg.ReadExactlyAsync(16)));
            }
        }).ToList();

        var connects = new List<Connect>();
        while (connects.Count < Dials)
        {
            connects.Add(await agent.NextConnectAsync());
        }

        // Every dial is pending now: the legs come together, in an order of their own.
        var legs = connects.OrderBy(connect => connect.ConnectionID).Select(async connect =>
        {
            await using var leg = await agent.BringLegAsync(connect);
            var tag = Encoding.ASCII.GetString(await leg.ReadExactlyAsync(4));
            await leg.WriteAsync(Encoding.ASCII.GetBytes($"{tag} came to {connect.LocalPort:000}"));
            Assert.Empty(await leg.ReadToEndAsync());
        }).ToList();
        await Task.WhenAll([.. dialers, .. legs]).WaitAsync(Patience.Long);
        Assert.Equal(Dials, connects.Select(connect => connect.ConnectionID).Distinct().Count());
        await broker.AssertNothingLeftAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_cancelled_dials_socket_is_given_to_the_next(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        var cancelled = await broker.BeginDialAsync(headers: Patient);
        var first = await agent.NextConnectAsync();
        cancelled.Abort();
        await agent.NextAsync(ResponseStream.StreamOneofCase.Cancel);

        await using var dialer = await broker.BeginDialAsync(headers: Patient);
        var second = await agent.NextConnectAsync();
        await using var late = await agent.BringLegAsync(first);
        await Assert.ThrowsAnyAsync<IOException>(() => late.ReadToEndAsync());
        Assert.Equal(1, broker.Parts.Pending.Count);

        await using var leg = await agent.BringLegAsync(second);
        await TestBroker.ReadHeadAsync(dialer);
        await leg.WriteAsync("mine"u8.ToArray());
        Assert.Equal("mine"u8.ToArray(), await dialer.ReadExactlyAsync(4));
    }

    [Theory, PlainAndTls]
    public async Task Dials_that_are_cancelled_as_their_leg_arrives_leave_nothing_and_harm_no_other(bool tls)
    {
        const int Dials = 40;
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        var serving = ServeAsync(agent, Dials);
        await Task.WhenAll(Enumerable.Range(0, Dials).Select(async i =>
        {
            await using var dialer = await broker.BeginDialAsync(headers: Patient);
            if (i % 2 == 0)
            {
                // The broker is anywhere between the Connect and the 200 by now.
                dialer.Abort();
                return;
            }

            Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
            Assert.Equal("served"u8.ToArray(), await dialer.ReadToEndAsync());
        })).WaitAsync(Patience.Long);
        await agent.DisposeAsync();
        await serving.WaitAsync(Patience.Long);
        await broker.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_pending_entry_is_stored_after_Connect_is_sent()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await broker.RegisterAsync();
        var serving = ServeAsync(agent, 200);

        // An agent that answers at once: an id it does not find would cost the dial its whole deadline.
        for (var i = 0; i < 200; i++)
        {
            var result = await broker.Broker.TryDialAsync(new("instance1.testdom", 5051) { Deadline = Patience.Long });
            Assert.True(result.IsConnected, result.Reason);
            await using var stream = result.Stream;
            Assert.Equal("served"u8.ToArray(), await stream.ReadToEndAsync());
        }

        await serving.WaitAsync(Patience.Long);
        await broker.AssertNothingLeftAsync();
    }

    [Theory, PlainAndTls]
    public async Task Pending_entries_leak(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();

        var refused = broker.RefusedAsync("instance1.testdom:5051");
        await agent.FailAsync(await agent.NextConnectAsync(), "no");
        Assert.StartsWith("HTTP/1.1 502 ", await refused);

        refused = broker.RefusedAsync("instance1.testdom:5051", "Whip-Deadline: 100\r\n");
        await agent.NextConnectAsync();
        Assert.StartsWith("HTTP/1.1 504 ", await refused);

        var dialer = await broker.BeginDialAsync(headers: Patient);
        await agent.NextConnectAsync();
        dialer.Abort();
        await broker.AssertNothingLeftAsync();

        refused = broker.RefusedAsync("instance1.testdom:5051", Patient);
        await agent.NextConnectAsync();
        await agent.DisposeAsync();
        Assert.Contains("lost its control stream", await refused);

        await broker.AssertNothingLeftAsync();
        Assert.Contains("whip_broker_pending_dials 0\n", await broker.ScrapeAsync());
    }

    /// <summary>Brings a leg for each Connect at once, says a word on it and waits for its end.</summary>
    private static async Task ServeAsync(ScriptedAgent agent, int connects)
    {
        var legs = new List<Task>();
        try
        {
            for (var i = 0; i < connects; i++)
            {
                legs.Add(ServeLegAsync(agent, await agent.NextConnectAsync()));
            }
        }
        catch (Exception error) when (error is System.Threading.Channels.ChannelClosedException or OperationCanceledException)
        {
            // A dial that was cancelled early enough never became a Connect.
        }

        await Task.WhenAll(legs);
    }

    private static async Task ServeLegAsync(ScriptedAgent agent, Connect connect)
    {
        Leg? leg = null;
        try
        {
            leg = await agent.BringLegAsync(connect);
            await leg.WriteAsync("served"u8.ToArray());
            await leg.CompleteWritesAsync();
            await leg.ReadToEndAsync();
        }
        catch (IOException)
        {
            // Its dial was cancelled.
        }
        finally
        {
            leg?.Abort();
        }
    }
}
