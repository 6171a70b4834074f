namespace Whip.Hosting.Programs;

/// <summary>The first signal asks for a clean stop, the second for one at once.</summary>
internal sealed class StopSignals : IDisposable
{
    // Not disposed: a signal may still be on its way to them.
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _stopAtOnce = new();
    private readonly IDisposable _subscription;

    public StopSignals(ProgramTerminal terminal) =>
        _subscription = terminal.OnStopSignal(() => (_stop.IsCancellationRequested ? _stopAtOnce : _stop).Cancel());

    public CancellationToken Stop => _stop.Token;

    public CancellationToken StopAtOnce => _stopAtOnce.Token;

    public void Dispose() => _subscription.Dispose();
}
