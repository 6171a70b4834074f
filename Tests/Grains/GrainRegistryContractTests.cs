using Whip.Registry;
using Whip.Tests.Registry;
using Xunit;

namespace Whip.Tests.Grains;

/// <summary>The contract of every engine, kept by the registry of one of two silos.</summary>
public sealed class GrainRegistryContractTests : RegistryContractTests, IAsyncLifetime
{
    private GrainTestCluster? _cluster;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await (_cluster?.DisposeAsync() ?? ValueTask.CompletedTask);

    private protected override async Task<IClientRegistry> CreateAsync(int maxWatchesPerName)
    {
        _cluster = await GrainTestCluster.StartAsync(silos: 2, maxWatchesPerName);
        return _cluster.Registry;
    }
}
