using System.Net.Sockets;
using Whip.Protocol.Legs;

namespace Whip.Bench.Scenarios;

/// <summary>The connections of a <see cref="StrangerLoad"/>. One that is closed is opened again.</summary>
internal sealed class SilentConnections : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly StrangerLoad _load;
    private readonly List<Stranger> _open = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private int _opened;

    public SilentConnections(StrangerLoad load)
    {
        _load = load;
        _running = Task.Run(RunAsync);
    }

    /// <summary>How many were opened so far.</summary>
    public int Opened => Volatile.Read(ref _opened);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _open.ForEach(stranger => stranger.End());
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        for (var most = _load.Count; !_stop.IsCancellationRequested; most = _load.Reopened)
        {
            foreach (var closed in _open.Where(stranger => stranger.HasEnded()).ToArray())
            {
                closed.End();
                _open.Remove(closed);
            }

            for (var i = Math.Min(most, _load.Count - _open.Count); i > 0 && !_stop.IsCancellationRequested; i--)
            {
                await OpenAsync();
            }

            await Task.Delay(Interval, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task OpenAsync()
    {
        try
        {
            _open.Add(await _load.ConnectAsync(_load.Ports[_opened++ % _load.Ports.Count], _stop.Token));
        }
        catch (Exception error) when (error is SocketException or IOException or LegHandshakeException or OperationCanceledException)
        {
            // It was refused, or the load is over.
        }
    }
}
