using Whip.Hosting.Flags;
using Whip.Hosting.Logging;
using Whip.Protocol.Options;

namespace Whip.Hosting.Programs;

/// <summary>
/// Runs one program from its command line to its exit code: 0 after a signal or an answer to <c>--help</c>, 2 when the user must change
/// something first, 1 when it broke. The last line on standard error says why it is not 0.
/// </summary>
internal static class WhipProgram
{
    public static Task<int> RunAsync<TOptions>(FlagSet flags, string[] args, Func<TOptions, ProgramContext, IWhipProgram> create)
        where TOptions : class, ICheckedOptions =>
        RunAsync(flags, args, create, ProgramTerminal.OfProcess());

    public static async Task<int> RunAsync<TOptions>(
        FlagSet flags, string[] args, Func<TOptions, ProgramContext, IWhipProgram> create, ProgramTerminal terminal)
        where TOptions : class, ICheckedOptions
    {
        var values = flags.NewValues();
        try
        {
            values = flags.Parse(args, terminal.Variable);
            if (values.Answer is { } answer)
            {
                await terminal.Output.WriteAsync(answer);
                return 0;
            }

            using var loggerFactory = WhipLogging.CreateFactory(values.Program.LogLevel, values.Program.LogFormat, TimeProvider.System);
            using var signals = new StopSignals(terminal);
            return await new ProgramRun(flags.Program, values, loggerFactory, terminal, signals).RunAsync(context => create((TOptions)values.Options, context));
        }
        catch (WhipOptionException error)
        {
            await terminal.Error.WriteLineAsync($"{flags.Program}: {error.Named(values.NameOf).Message}");
            return 2;
        }
    }
}
