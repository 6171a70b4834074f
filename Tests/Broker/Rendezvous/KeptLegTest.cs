using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker.Rendezvous;

/// <summary>The steps of an agent that keeps its legs at a real broker, by hand.</summary>
public abstract class KeptLegTest
{
    private protected const string Name = "instance1.testdom";

    /// <summary>On a clock that stands, so that nothing is stale that the test does not make so.</summary>
    private protected static async Task<(TestBroker Broker, ScriptedAgent Agent, FakeTimeProvider Time)> StartAsync(
        bool tls, Action<Whip.Broker.WhipBrokerOptions>? configure = null)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var broker = await TestBroker.StartAsync(tls, configure, time);
        return (broker, await RegisterAsync(broker), time);
    }

    private protected static Task<ScriptedAgent> RegisterAsync(TestBroker broker) =>
        ScriptedAgent.RegisterAsync(broker, Name, [5051], register => register.Capabilities.Add("keep"));

    /// <summary>A dial for which the agent brings a new leg, past its 200.</summary>
    private protected static async Task<(Leg Dialer, Leg Leg)> BeginAsync(TestBroker broker, ScriptedAgent agent)
    {
        var dialer = await broker.BeginDialAsync();
        var connect = await agent.NextConnectAsync();
        Assert.True(connect.Keep);
        var leg = await agent.BringLegAsync(connect);
        await AssertConnectedAsync(dialer);
        return (dialer, leg);
    }

    /// <summary>A leg that is idle after its first dial, and one more than before.</summary>
    private protected static async Task<Leg> IdleAsync(TestBroker broker, ScriptedAgent agent)
    {
        var (dialer, leg) = await BeginAsync(broker, agent);
        await EndAsync(broker, dialer, leg);
        return leg;
    }

    /// <summary>A byte each way, and both ends.</summary>
    private protected static async Task EndAsync(TestBroker broker, Leg dialer, Leg leg)
    {
        var before = broker.Parts.KeptLegs.Count;
        await dialer.WriteAsync(new byte[] { 7 });
        Assert.Equal(Frames.Data(7), await leg.ReadExactlyAsync(5));
        await dialer.CompleteWritesAsync();
        Assert.Equal(Frames.End, await leg.ReadExactlyAsync(4));
        await leg.WriteAsync((byte[])[.. Frames.Data(8), .. Frames.End, .. Frames.Done]);
        Assert.Equal([8], await dialer.ReadToEndAsync());
        await dialer.DisposeAsync();
        await UntilKeptAsync(broker, before + 1);
    }

    private protected static async Task<(Leg Dialer, Connect Open)> AskAsync(TestBroker broker, Leg leg)
    {
        var dialer = await broker.BeginDialAsync();
        return (dialer, await leg.ReadOpenAsync());
    }

    private protected static async Task AssertConnectedAsync(Leg dialer) =>
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));

    /// <summary>The dial is asked for by a Connect, and goes on over the leg that this brings.</summary>
    private protected static async Task AssertFreshAsync(ScriptedAgent agent, Leg dialer)
    {
        await using var leg = await agent.BringLegAsync(await agent.NextConnectAsync());
        await AssertConnectedAsync(dialer);
        await leg.WriteAsync(Frames.Data(9));
        Assert.Equal([9], await dialer.ReadExactlyAsync(1));
    }

    private protected static Task UntilKeptAsync(TestBroker broker, int count) =>
        Patience.UntilAsync(() => broker.Parts.KeptLegs.Count == count, $"{count} idle legs");

    /// <summary>Reset or ended: nothing comes any more.</summary>
    private protected static async Task AssertGoneAsync(Leg leg)
    {
        try
        {
            Assert.Empty(await leg.ReadToEndAsync());
        }
        catch (IOException)
        {
        }
    }

    /// <summary>Bytes in hexadecimal digits; none: the end of the connection.</summary>
    private protected static async Task SendAsync(Leg leg, string bytes)
    {
        if (bytes.Length > 0)
        {
            await leg.WriteAsync(Convert.FromHexString(bytes));
        }
        else
        {
            await leg.CompleteWritesAsync();
        }
    }
}
