using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Whip.Hosting.Programs;
using Whip.Protocol.Names;
using Whip.Protocol.Options;

namespace Whip.Hosting.Flags;

/// <summary>A program of several commands: how they get their options, and how a run of one ends.</summary>
internal sealed class CommandTree(string program, CommandLine line, TextWriter output, TextWriter error)
{
    /// <summary>What a shell reports for a program that Ctrl-C ended.</summary>
    public const int Interrupted = 130;

    private readonly Dictionary<Command, FlagSet> _flags = [];

    public TextWriter Output => output;

    public TextWriter Error => error;

    /// <summary>A command that runs with the options of <paramref name="flags"/> and returns the exit code.</summary>
    public Command Command<TOptions>(FlagSet flags, Func<TOptions, CancellationToken, Task<int>> run)
        where TOptions : class, ICheckedOptions
    {
        var command = flags.NewCommand();
        _flags[command] = flags;
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var values = line.Read(flags, parsed);
            try
            {
                return await run((TOptions)values.Options, cancellationToken);
            }
            catch (WhipOptionException e)
            {
                throw e.Named(values.NameOf);
            }
        });
        return command;
    }

    /// <summary>Returns the exit code of the command, 2 for a command line that is not valid, or 130 when the command was interrupted.</summary>
    public async Task<int> RunAsync(RootCommand root, CancellationToken interrupt)
    {
        root.Description += $"\n{CommandLine.Sources}\n{CommandLine.Durations}";
        root.Options.OfType<HelpOption>().Single().Action = new HelpAction { MaxWidth = CommandLine.HelpWidth };
        root.Options.OfType<VersionOption>().Single().Action = new ShowVersion(program);
        try
        {
            var parsed = line.Parse(root);
            if (parsed.Action is ParseErrorAction)
            {
                await error.WriteLineAsync($"{program}: {Printable.Clean(Problem(parsed), maxLength: 2048)}; see {PathOf(parsed.CommandResult)} --help");
                return 2;
            }

            // Without a timeout no signal is handled there.
            var configuration = new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(configuration, interrupt);
        }
        catch (WhipOptionException e)
        {
            await error.WriteLineAsync($"{program}: {e.Message}");
            return 2;
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
            return Interrupted;
        }
    }

    /// <summary>The program and the names of the command.</summary>
    private string PathOf(CommandResult command) => command.Parent is CommandResult parent ? $"{PathOf(parent)} {command.Command.Name}" : program;

    /// <exception cref="WhipOptionException">The problem is with a flag of the command.</exception>
    private string Problem(ParseResult parsed)
    {
        if (_flags.TryGetValue(parsed.CommandResult.Command, out var flags))
        {
            line.CheckSwitches(flags);
        }

        if (parsed.UnmatchedTokens is [var unknown, ..])
        {
            return $"unknown argument \"{unknown}\"";
        }

        if (flags is not null)
        {
            line.Read(flags, parsed);
        }

        return parsed.Errors[0].Message.TrimEnd('.');
    }

    private sealed class ShowVersion(string program) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(BuildInfo.Describe(program));
            return 0;
        }
    }
}
