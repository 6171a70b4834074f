using Whip.Broker;
using Whip.Registry;
using Whip.Tests.Registry;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Grains;

/// <summary>
/// The contract of every engine, kept by the registry of a broker whose cluster has two more, each a process: it has their silos to
/// find grains at, and asks them over real links, on a real PostgreSQL.
/// </summary>
public sealed class SiloProcessContractTests(SiloProcesses others) : RegistryContractTests, IClassFixture<SiloProcesses>, IAsyncLifetime
{
    private static int _brokers;

    private TestBroker? _broker;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await (_broker?.DisposeAsync() ?? ValueTask.CompletedTask);

    private protected override async Task<IClientRegistry> CreateAsync(int maxWatchesPerName)
    {
        await others.StartAsync();
        _broker = await TestBroker.StartAsync(tls: false, options =>
        {
            (options.Cluster, options.SiloListen, options.GatewayListen, options.Postgres) = (ClusterEngine.Orleans, "127.0.0.1:0", "", others.Database);
            options.BrokerId = $"tested{Interlocked.Increment(ref _brokers)}";
            options.Limits.WaitersPerName = maxWatchesPerName;
        });
        var cluster = _broker.Parts.Cluster!;
        await Patience.UntilAsync(
            () => cluster.Orleans!.Silos.Count == 3 && cluster.Links.All is { Count: 2 } peers && peers.All(peer => peer is { IsLinked: true, IsSuspect: false }),
            "three silos and links to both of the others");
        return new BorrowedRegistry(_broker.Parts.Registry);
    }

    /// <summary>A broker's, which ends it.</summary>
    private sealed class BorrowedRegistry(IClientRegistry registry) : IClientRegistry
    {
        public ValueTask<IReadOnlyList<StreamRoute>> AnnounceAsync(StreamRoute route, CancellationToken cancellationToken) => registry.AnnounceAsync(route, cancellationToken);

        public ValueTask WithdrawAsync(StreamRoute route, CancellationToken cancellationToken) => registry.WithdrawAsync(route, cancellationToken);

        /// <summary>As a broker does, it asks again where the others, on a busy machine, did not answer in their half second.</summary>
        public async ValueTask<Resolution> ResolveAsync(ResolveRequest request, CancellationToken cancellationToken)
        {
            var resolution = default(Resolution);
            await Patience.UntilAsync(
                async () => (resolution = await registry.ResolveAsync(request, cancellationToken)).Status != ResolveStatus.Unanswered, $"an answer about {request.Name}");
            return resolution;
        }

        public void Forget(ResolveRequest request, string brokerId) => registry.Forget(request, brokerId);

        public IRouteWatch? Watch(string name) => registry.Watch(name);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
