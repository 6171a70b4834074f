using Whip.Registry;
using Whip.Registry.Embedded;

namespace Whip.Tests.Registry;

public sealed class EmbeddedRegistryTests : RegistryContractTests
{
    private protected override IClientRegistry Create(int maxWatchesPerName) => new EmbeddedRegistry(maxWatchesPerName);
}
