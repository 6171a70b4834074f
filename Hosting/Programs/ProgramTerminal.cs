using System.Runtime.InteropServices;

namespace Whip.Hosting.Programs;

/// <summary>What a program meets outside itself; tests replace it.</summary>
/// <param name="Output">For the ready line, help and the version.</param>
/// <param name="Error">For the line that says why the program ends.</param>
/// <param name="Variable">Reads an environment variable.</param>
/// <param name="OnStopSignal">Calls back for every SIGTERM, SIGINT and SIGQUIT, until disposed.</param>
internal sealed record ProgramTerminal(TextWriter Output, TextWriter Error, Func<string, string?> Variable, Func<Action, IDisposable> OnStopSignal)
{
    private static readonly PosixSignal[] StopSignals = [PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT];

    /// <summary>Calls back for every SIGHUP, until disposed.</summary>
    public Func<Action, IDisposable>? OnReloadSignal { get; init; }

    public static ProgramTerminal OfProcess() =>
        new(Console.Out, Console.Error, Environment.GetEnvironmentVariable, static action => new Signals(action, StopSignals))
        {
            OnReloadSignal = static action => new Signals(action, PosixSignal.SIGHUP),
        };

    private sealed class Signals(Action action, params PosixSignal[] signals) : IDisposable
    {
        private readonly PosixSignalRegistration[] _registrations =
            Array.ConvertAll(signals, signal => PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                action();
            }));

        public void Dispose() => Array.ForEach(_registrations, r => r.Dispose());
    }
}

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
