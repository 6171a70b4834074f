namespace Whip.Tests.Grains.Membership;

public sealed class MemoryMendingTests : MendingTests
{
    private protected override Task<DamagedStore> CreateStoreAsync() => Task.FromResult<DamagedStore>(new DamagedMemory());
}
