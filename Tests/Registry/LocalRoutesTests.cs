using Whip.Registry;
using Whip.Registry.Routes;

namespace Whip.Tests.Registry;

public sealed class LocalRoutesTests : RegistryContractTests
{
    private protected override Task<IClientRegistry> CreateAsync(int maxWatchesPerName) =>
        Task.FromResult<IClientRegistry>(new LocalRoutes(maxWatchesPerName));
}
