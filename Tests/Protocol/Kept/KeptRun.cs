using Whip.Protocol.Kept;
using Whip.Protocol.Legs;

namespace Whip.Tests.Protocol.Kept;

/// <summary>Kept connections past their heads, with a relay at the serving end of each: dials on them, one after the other.</summary>
internal sealed class KeptRun : IAsyncDisposable
{
    private readonly RelayBuffers _buffers;
    private readonly List<LegPair> _connections;
    private readonly List<LegPair> _services = [];

    private KeptRun(List<LegPair> connections)
    {
        _connections = connections;
        _buffers = new RelayBuffers(Time);
    }

    public FakeTimeProvider Time { get; } = new();

    public CancellationTokenSource Cut { get; } = new();

    public int Outstanding => _buffers.Outstanding;

    /// <summary>The bare ends of the connection; of several, the dialer's and the last broker's.</summary>
    public Leg Near => _connections[0].Near;

    public Leg Far => _connections[^1].Far;

    /// <param name="tls">Of every connection.</param>
    /// <param name="small">With the least of buffers.</param>
    /// <param name="hops">How many connections a dial passes: two, if one broker forwards it to another.</param>
    public static async Task<KeptRun> StartAsync(bool tls, bool small = false, int hops = 1)
    {
        List<LegPair> connections = [];
        while (connections.Count < hops)
        {
            connections.Add(await LegPair.ConnectAsync(tls, small: small));
        }

        return new KeptRun(connections);
    }

    /// <summary>The next dial, past its 200.</summary>
    /// <param name="serviceTls">Whether the leg to the service is TLS.</param>
    /// <param name="small">With the least of buffers on the way to the service.</param>
    public async Task<KeptDial> DialAsync(bool serviceTls = false, bool small = false)
    {
        var service = await LegPair.ConnectAsync(serviceTls, small: small);
        _services.Add(service);
        return Dial(service.Near, service.Far);
    }

    /// <param name="leg">The last broker's leg to the service.</param>
    /// <param name="service">The other end of it.</param>
    public KeptDial Dial(Leg leg, Leg service)
    {
        List<ServingStream> serving = [];
        List<Task<RelayResult>> relays = [];
        List<Task> idle = [];
        AskingStream? dialer = null;
        var context = new RelayContext(_buffers, Time, TimeSpan.FromHours(1));
        foreach (var connection in _connections)
        {
            var isIdle = new TaskCompletionSource();
            var asking = new AskingStream(connection.Near, Time, isIdle.SetResult);
            if (dialer is not null)
            {
                relays.Add(Relay.RunAsync(serving[^1], asking, context, Cut.Token));
            }

            dialer ??= asking;
            serving.Add(new ServingStream(connection.Far));
            idle.Add(isIdle.Task);
        }

        relays.Add(Relay.RunAsync(serving[^1], leg, context, Cut.Token));
        return new KeptDial(dialer!, service, relays, serving, idle);
    }

    public async ValueTask DisposeAsync()
    {
        await Cut.CancelAsync();
        foreach (var pair in _connections.Concat(_services))
        {
            await pair.DisposeAsync();
        }

        Cut.Dispose();
    }
}

/// <summary>One dial on a <see cref="KeptRun"/>.</summary>
/// <param name="Dialer">The dialer's stream.</param>
/// <param name="Service">The end of the service, or of its agent.</param>
/// <param name="Relays">Of each broker.</param>
/// <param name="Servings">The relays' ends of the kept connections.</param>
/// <param name="Idles">Each completes when the asking side of a connection has it back.</param>
internal sealed record KeptDial(
    AskingStream Dialer, Leg Service, IReadOnlyList<Task<RelayResult>> Relays, IReadOnlyList<ServingStream> Servings, IReadOnlyList<Task> Idles)
{
    /// <summary>Of the broker that the dialer asked.</summary>
    public Task<RelayResult> Relay => Relays[0];

    public ServingStream Serving => Servings[0];

    public Task Idle => Idles[0];

    /// <summary>Ends both directions from the service's side on, and waits until the connection is idle at both ends.</summary>
    public async Task EndAsync()
    {
        await Service.CompleteWritesAsync();
        await Dialer.DisposeAsync();
        Assert.Empty(await Service.ReadToEndAsync());
        await AssertIdleAsync();
    }

    public async Task AssertIdleAsync()
    {
        Assert.All(await Task.WhenAll(Relays).WaitAsync(Patience.Long), result => Assert.Equal(RelayEnd.Clean, result.End));
        Assert.All(Servings, serving => Assert.True(serving.IsDone));
        await Task.WhenAll(Idles).WaitAsync(Patience.Long);
    }

    /// <summary>No connection of the dial is used again.</summary>
    public async Task AssertEndedAsync(RelayEnd end)
    {
        Assert.All(await Task.WhenAll(Relays).WaitAsync(Patience.Long), result => Assert.Equal(end, result.End));
        Assert.All(Servings, serving => Assert.False(serving.IsDone));
        Assert.All(Idles, idle => Assert.False(idle.IsCompleted));
    }
}
