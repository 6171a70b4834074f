namespace Whip.Grains;

/// <summary>The Orleans side of one broker: its silo, the members, and what it asks the grains and pushes to them.</summary>
internal sealed class GrainCluster : IAsyncDisposable
{
    private readonly CurrentSilo _current = new();
    private readonly SiloKeeper _keeper;
    private readonly HoldingPusher _pusher;
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    public GrainCluster(SiloSetup setup, LocalRoutes local, ILoggerFactory loggers, TimeProvider time)
    {
        var self = new BrokerFacts { BrokerId = setup.BrokerId, Process = Guid.NewGuid(), Zone = setup.Zone };
        Members = new MemberTable(self, setup.ClusterId, loggers.CreateLogger("Whip.Grains"), time);
        Others = new OtherBrokers(Members, _current, time);
        _keeper = new SiloKeeper(setup, local, Members, _current, loggers, time);
        _pusher = new HoldingPusher(local, _current, time);
    }

    public MemberTable Members { get; }

    public IOtherBrokers Others { get; }

    /// <summary>This broker's active silo; null if it has none.</summary>
    public RunningSilo? Silo => _current.Silo;

    /// <summary>Why this broker has no silo; null while it has one.</summary>
    public string? Problem => _keeper.Problem;

    /// <summary>Completes when this broker is a silo for the first time; fails when its options do not allow it.</summary>
    public Task Joined => _keeper.Joined;

    /// <summary>Starts a silo, however long that takes, and another one whenever it has died.</summary>
    public void Start() => _running = Task.WhenAll(_keeper.RunAsync(_stopping.Token), _pusher.RunAsync(_stopping.Token));

    /// <summary>The silo leaves the cluster, if the others and the database can be reached in time.</summary>
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
