using Whip.Hosting.Flags;
using Whip.Protocol.Options;

namespace Whip.Hosting.Programs;

/// <summary>
/// Runs one program from its command line to its exit code: 0 after a signal or <c>--help</c>, 2 when the user must change an option first,
/// 1 after a failure. If it is not 0, the last line on standard error says why.
/// </summary>
internal static class WhipProgram
{
    public static Task<int> RunAsync<TOptions>(ProgramFlags flags, string[] args, Func<TOptions, ProgramContext, IWhipProgram> create)
        where TOptions : class, ICheckedOptions =>
        RunAsync(flags, args, create, ProgramTerminal.OfProcess());

    public static async Task<int> RunAsync<TOptions>(
        ProgramFlags flags, string[] args, Func<TOptions, ProgramContext, IWhipProgram> create, ProgramTerminal terminal)
        where TOptions : class, ICheckedOptions
    {
        // Before anything that takes time: without a handler a signal ends the process with an exit code of its own.
        using var signals = new StopSignals(terminal);
        var values = flags.NewValues();
        try
        {
            (values, var answer) = flags.Parse(args, terminal.Variable);
            if (answer is not null)
            {
                await terminal.Output.WriteAsync(answer);
                return 0;
            }

            using var loggerFactory = WhipLogging.CreateFactory(values.Program.LogLevel, values.Program.LogFormat, TimeProvider.System);
            return await new ProgramRun(flags.Name, values, loggerFactory, terminal, signals).RunAsync(context => create((TOptions)values.Options, context));
        }
        catch (WhipOptionException error)
        {
            await terminal.Error.WriteLineAsync($"{flags.Name}: {error.Named(values.NameOf).Message}");
            return 2;
        }
    }
}
