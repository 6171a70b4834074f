using Whip.Registry;
using Whip.Registry.Embedded;
using Whip.Registry.Routes;

namespace Whip.Tests.Registry;

public sealed class EmbeddedRegistryTests : RegistryContractTests
{
    private protected override IClientRegistry Create(int maxWatchesPerName) => new EmbeddedRegistry(new LocalRoutes(maxWatchesPerName));
}
