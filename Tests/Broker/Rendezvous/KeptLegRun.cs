using Whip.Hosting.Listening;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker.Rendezvous;

/// <summary>
/// An agent that keeps its legs, by hand, at a real broker: on a clock that stands, so that nothing is stale that the test does not make so.
/// </summary>
internal sealed class KeptLegRun : IAsyncDisposable
{
    public const string Name = "instance1.testdom";

    private readonly FakeTimeProvider? _time;

    private KeptLegRun(TestBroker broker, ScriptedAgent agent, FakeTimeProvider? time) => (Broker, Agent, _time) = (broker, agent, time);

    public TestBroker Broker { get; }

    public ScriptedAgent Agent { get; }

    /// <summary>The broker's clock.</summary>
    public FakeTimeProvider Time => _time ?? throw new InvalidOperationException("the broker has the clock of the system");

    public static async Task<KeptLegRun> StartAsync(
        bool tls, Action<Whip.Broker.WhipBrokerOptions>? configure = null, DescriptorBudget? descriptors = null)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        return await StartAsync(await TestBroker.StartAsync(tls, configure, time, descriptors), time);
    }

    /// <summary>At a broker that the run owns from now on.</summary>
    public static async Task<KeptLegRun> StartAsync(TestBroker broker, FakeTimeProvider? time = null) =>
        new(broker, await ScriptedAgent.RegisterAsync(broker, Name, [5051], register => register.Capabilities.Add("keep")), time);

    public async ValueTask DisposeAsync()
    {
        await Agent.DisposeAsync();
        await Broker.DisposeAsync();
    }

    /// <summary>A dial for which the agent brings a new leg, past its 200.</summary>
    public async Task<(Leg Dialer, Leg Leg)> BeginAsync()
    {
        var dialer = await Broker.BeginDialAsync();
        var connect = await Agent.NextConnectAsync();
        Assert.True(connect.Keep);
        var leg = await Agent.BringLegAsync(connect);
        await AssertConnectedAsync(dialer);
        return (dialer, leg);
    }

    /// <summary>A leg that is idle after its first dial, and one more than before.</summary>
    public async Task<Leg> IdleAsync()
    {
        var (dialer, leg) = await BeginAsync();
        await EndAsync(dialer, leg);
        return leg;
    }

    /// <summary>A byte each way, and both ends.</summary>
    public async Task EndAsync(Leg dialer, Leg leg)
    {
        var before = Broker.Parts.KeptLegs.Count;
        await dialer.WriteAsync(new byte[] { 7 });
        Assert.Equal(Frames.Data(7), await leg.ReadExactlyAsync(5));
        await dialer.CompleteWritesAsync();
        Assert.Equal(Frames.End, await leg.ReadExactlyAsync(4));
        await leg.WriteAsync((byte[])[.. Frames.Data(8), .. Frames.End, .. Frames.Done]);
        Assert.Equal([8], await dialer.ReadToEndAsync());
        await dialer.DisposeAsync();
        await UntilKeptAsync(before + 1);
    }

    public async Task<(Leg Dialer, Connect Open)> AskAsync(Leg leg)
    {
        var dialer = await Broker.BeginDialAsync();
        return (dialer, await leg.ReadOpenAsync());
    }

    public static async Task AssertConnectedAsync(Leg dialer) =>
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));

    /// <summary>The dial is asked for by a Connect, and goes on over the leg that this brings.</summary>
    public async Task AssertFreshAsync(Leg dialer)
    {
        await using var leg = await Agent.BringLegAsync(await Agent.NextConnectAsync());
        await AssertConnectedAsync(dialer);
        await leg.WriteAsync(Frames.Data(9));
        Assert.Equal([9], await dialer.ReadExactlyAsync(1));
    }

    public Task UntilKeptAsync(int count) =>
        Patience.UntilAsync(() => Broker.Parts.KeptLegs.Count == count, $"{count} idle legs");

    /// <summary>Reset or ended: nothing comes any more.</summary>
    public static async Task AssertGoneAsync(Leg leg)
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
    public static async Task SendAsync(Leg leg, string bytes)
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
