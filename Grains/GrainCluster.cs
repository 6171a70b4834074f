using Microsoft.Extensions.Logging;
using Whip.Grains.Index;
using Whip.Grains.Members;
using Whip.Grains.Silos;
using Whip.Registry.Holders;
using Whip.Registry.Routes;

namespace Whip.Grains;

/// <summary>The cluster as one broker has it: its silo, the members, the grains it finds names through, and what it tells them.</summary>
internal sealed class GrainCluster : IAsyncDisposable
{
    private readonly SiloKeeper _keeper;
    private readonly HoldingPusher _pusher;
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    public GrainCluster(SiloSetup setup, LocalRoutes local, ILoggerFactory loggers, TimeProvider time)
    {
        var current = new CurrentSilo();
        var self = new BrokerFacts { BrokerId = setup.BrokerId, Process = Guid.NewGuid(), Zone = setup.Zone };
        Members = new MemberTable(self, setup.ClusterId, loggers.CreateLogger("Whip.Grains"), time);
        Others = new OtherBrokers(Members, current, time);
        _keeper = new SiloKeeper(setup, local, Members, current, loggers, time);
        _pusher = new HoldingPusher(local, current, time);
    }

    public MemberTable Members { get; }

    public IOtherBrokers Others { get; }

    /// <summary>This broker's active silo; null if it has none.</summary>
    public RunningSilo? Silo => _keeper.Silo;

    /// <summary>What keeps this broker from being a silo; null while it is one.</summary>
    public string? Problem => _keeper.Problem;

    /// <summary>Completes when this broker is a silo for the first time; fails when it cannot be one as it is set up.</summary>
    public Task Joined => _keeper.Joined;

    /// <summary>Becomes a silo, however long that takes, and again when the silo has died; nothing waits for it.</summary>
    public void Start() => _running = Task.WhenAll(_keeper.RunAsync(_stopping.Token), _pusher.RunAsync(_stopping.Token));

    /// <summary>Takes the silo out of the cluster, as far as the others and the database can be reached in time.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_stopping.IsCancellationRequested)
        {
            await _stopping.CancelAsync();
        }

        await _running;
        _stopping.Dispose();
    }
}
