using Microsoft.Extensions.Hosting;

namespace Whip.Grains.Silos;

/// <summary>Signals are the broker's: its drain comes before the end of its silo.</summary>
internal sealed class SilentLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
