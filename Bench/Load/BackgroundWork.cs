namespace Whip.Bench.Load;

/// <summary>Work that runs until it is stopped.</summary>
internal sealed class BackgroundWork : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public BackgroundWork(Func<CancellationToken, Task> work) => _running = Task.Run(() => work(_stop.Token));

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await _running;
        }
        catch (OperationCanceledException)
        {
            // As it was asked to.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }
}
