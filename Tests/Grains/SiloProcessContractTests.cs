using Whip.Broker;
using Whip.Registry;
using Whip.Tests.Registry;

namespace Whip.Tests.Grains;

/// <summary>
/// The contract of every engine, kept by the registry of a broker whose cluster has two more, each a process: it has their silos to
/// find grains at, and asks them, on a real PostgreSQL.
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
            (options.Cluster, options.SiloListen, options.Postgres) = (ClusterEngine.Orleans, "127.0.0.1:0", others.Database);
            options.BrokerId = $"tested{Interlocked.Increment(ref _brokers)}";
            options.Limits.WaitersPerName = maxWatchesPerName;
        });
        var cluster = _broker.Parts.Cluster!;
        await Patience.UntilAsync(
            () => cluster.Members.Members is { Count: 3 } members && !members.Any(member => member.IsSuspect),
            "three members that answer");
        return new PatientRegistry(_broker.Parts.Registry);
    }
}
