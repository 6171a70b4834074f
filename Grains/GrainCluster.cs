using Microsoft.Extensions.Logging;
using Whip.Grains.Index;
using Whip.Grains.Silo;
using Whip.Registry;
using Whip.Registry.Peers;
using Whip.Registry.Routes;

namespace Whip.Grains;

/// <summary>The Orleans side of one broker: its silo, the grains it finds names through, and what it tells them.</summary>
internal sealed class GrainCluster : IAsyncDisposable
{
    private readonly SiloKeeper _keeper;
    private readonly Announcer _announcer;
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    public GrainCluster(SiloSetup setup, LocalRoutes local, ILoggerFactory loggers, TimeProvider time)
    {
        var current = new CurrentSilo();
        _keeper = new SiloKeeper(setup, local, current, loggers, time);
        _announcer = new Announcer(local, current, time);
        Index = new GrainIndex(current);
    }

    public IHolderIndex Index { get; }

    /// <summary>This broker's silo of the moment; null if it has none.</summary>
    public RunningSilo? Silo => _keeper.Silo;

    /// <summary>The names of the silos that this one sees; empty while there is none.</summary>
    public IReadOnlyList<string> Silos => _keeper.Silos;

    /// <summary>Completes when this broker is a silo for the first time.</summary>
    public Task Started => _keeper.Started;

    public IClientRegistry CreateRegistry(PeerRegistry peers) => new GrainRegistry(peers, _announcer);

    /// <summary>Starts the silo, which may take long when others have just died; nothing waits for it.</summary>
    public void Start() => _running = Task.WhenAll(_keeper.RunAsync(_stopping.Token), _announcer.RunAsync(_stopping.Token));

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }
}
