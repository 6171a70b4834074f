using Whip.Hosting.Flags;
using Whip.Hosting.Logging;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Programs;

/// <summary>
/// Runs one program from its command line to its exit code: 0 after a signal or an answer to <c>--help</c>, 2 when the user must change
/// something first, 1 when it broke. The last line on standard error says why it is not 0.
/// </summary>
internal static class WhipProgram
{
    public static Task<int> RunAsync(FlagSet flags, string[] args, Func<FlagValues, ProgramContext, IWhipProgram> create) =>
        RunAsync(flags, args, create, ProgramTerminal.OfProcess());

    public static async Task<int> RunAsync(
        FlagSet flags, string[] args, Func<FlagValues, ProgramContext, IWhipProgram> create, ProgramTerminal terminal)
    {
        try
        {
            var values = flags.Parse(args, terminal.Variable);
            if (values.Answer is { } answer)
            {
                await terminal.Output.WriteAsync(answer);
                return 0;
            }

            using var loggerFactory = WhipLogging.CreateFactory(values.Get(flags.Common.LogLevel), values.Get(flags.Common.LogFormat), TimeProvider.System);
            using var signals = new StopSignals(terminal);
            return await new ProgramRun(flags, values, loggerFactory, terminal, signals).RunAsync(create);
        }
        catch (Exception e) when (e is StartupException or TlsConfigurationException)
        {
            await terminal.Error.WriteLineAsync(Printable.Clean($"{flags.Program}: {e.Message}", maxLength: 1024));
            return 2;
        }
    }
}
