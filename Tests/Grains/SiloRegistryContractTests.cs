using Whip.Registry;
using Whip.Tests.Registry;

namespace Whip.Tests.Grains;

/// <summary>The contract of every engine, kept by the registry of one of two brokers of this process.</summary>
public sealed class SiloRegistryContractTests : RegistryContractTests, IAsyncLifetime
{
    private SiloTestCluster? _cluster;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await (_cluster?.DisposeAsync() ?? ValueTask.CompletedTask);

    private protected override async Task<IClientRegistry> CreateAsync(int maxWatchesPerName)
    {
        _cluster = await SiloTestCluster.StartAsync(silos: 2, maxWatchesPerName);
        return new PatientRegistry(_cluster[0].Registry);
    }
}
