using Whip.Protocol.Kept;
using Whip.Protocol.Legs;

namespace Whip.Tests.Protocol.Kept;

/// <summary>One kept connection past its heads, with a relay at its serving end: dials on it, one after the other.</summary>
internal sealed class KeptRun : IAsyncDisposable
{
    private readonly RelayBuffers _buffers;
    private readonly LegPair _connection;
    private readonly List<LegPair> _services = [];

    private KeptRun(LegPair connection)
    {
        _connection = connection;
        _buffers = new RelayBuffers(Time);
    }

    public FakeTimeProvider Time { get; } = new();

    public CancellationTokenSource Cut { get; } = new();

    public int Outstanding => _buffers.Outstanding;

    /// <summary>The bare ends of the connection.</summary>
    public Leg Near => _connection.Near;

    public Leg Far => _connection.Far;

    public static async Task<KeptRun> StartAsync(bool tls, bool small = false) => new(await LegPair.ConnectAsync(tls, small: small));

    /// <summary>The next dial, past its 200.</summary>
    /// <param name="serviceTls">Whether the leg to the service is TLS.</param>
    /// <param name="small">With the least of buffers on the way to the service.</param>
    public async Task<KeptDial> DialAsync(bool serviceTls = false, bool small = false)
    {
        var service = await LegPair.ConnectAsync(serviceTls, small: small);
        _services.Add(service);
        var serving = new ServingStream(Far);
        var relay = Relay.RunAsync(serving, service.Near, new RelayContext(_buffers, Time, TimeSpan.FromHours(1)), Cut.Token);
        var idle = new TaskCompletionSource();
        return new KeptDial(new AskingStream(Near, Time, idle.SetResult), service.Far, relay, serving, idle.Task);
    }

    public async ValueTask DisposeAsync()
    {
        await Cut.CancelAsync();
        await _connection.DisposeAsync();
        foreach (var service in _services)
        {
            await service.DisposeAsync();
        }

        Cut.Dispose();
    }
}

/// <summary>One dial on a <see cref="KeptRun"/>.</summary>
/// <param name="Dialer">The dialer's stream.</param>
/// <param name="Service">The end of the service, or of its agent.</param>
/// <param name="Relay">Between them.</param>
/// <param name="Serving">The relay's end of the kept connection.</param>
/// <param name="Idle">Completes when the asking side has the connection back.</param>
internal sealed record KeptDial(AskingStream Dialer, Leg Service, Task<RelayResult> Relay, ServingStream Serving, Task Idle)
{
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
        Assert.Equal(RelayEnd.Clean, (await Relay.WaitAsync(Patience.Long)).End);
        Assert.True(Serving.IsDone);
        await Idle.WaitAsync(Patience.Long);
    }
}
