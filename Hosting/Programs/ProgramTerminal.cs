using System.Runtime.InteropServices;

namespace Whip.Hosting.Programs;

/// <summary>What a program meets outside itself; tests put their own in its place.</summary>
/// <param name="Output">For the ready line, help and the version.</param>
/// <param name="Error">For the line that says why the program ends.</param>
/// <param name="Variable">Reads an environment variable.</param>
/// <param name="OnStopSignal">Calls back for every SIGTERM and SIGINT, until disposed.</param>
internal sealed record ProgramTerminal(TextWriter Output, TextWriter Error, Func<string, string?> Variable, Func<Action, IDisposable> OnStopSignal)
{
    public static ProgramTerminal OfProcess() => new(Console.Out, Console.Error, Environment.GetEnvironmentVariable, static action => new Signals(action));

    private sealed class Signals : IDisposable
    {
        private readonly PosixSignalRegistration[] _registrations;

        public Signals(Action action) => _registrations =
        [
            .. new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT }.Select(signal => PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                action();
            })),
        ];

        public void Dispose() => Array.ForEach(_registrations, r => r.Dispose());
    }
}
