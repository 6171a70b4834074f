using System.Runtime.InteropServices;

namespace Whip.Bench;

/// <summary>Ctrl-C, SIGTERM and the end of the terminal, as a token: whoever watches it ends what it started.</summary>
internal sealed class Interrupt : IDisposable
{
    // Not disposed: a signal may still be on its way to it.
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    public Interrupt() => _registrations =
    [
        .. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(signal => PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            _source.Cancel();
        })),
    ];

    public CancellationToken Token => _source.Token;

    public void Dispose() => Array.ForEach(_registrations, r => r.Dispose());
}
