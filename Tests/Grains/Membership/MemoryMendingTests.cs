using Whip.Grains.Membership;

namespace Whip.Tests.Grains.Membership;

public sealed class MemoryMendingTests : MendingTests
{
    private readonly MemoryStore _memory = new();

    private protected override Task<ISiloStore> CreateStoreAsync() => Task.FromResult<ISiloStore>(_memory);

    private protected override Task RemoveRowsAsync() => Change(_memory.RemoveRows);

    private protected override Task RemoveVersionAsync() => Change(_memory.RemoveVersion);

    private protected override Task DropAsync() => Change(_memory.Drop);

    private protected override Task SetVersionAsync(int version) => Change(() => _memory.SetVersion(version));

    private static Task Change(Action change)
    {
        change();
        return Task.CompletedTask;
    }
}
