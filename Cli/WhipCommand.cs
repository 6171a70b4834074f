using System.CommandLine;
using System.CommandLine.Invocation;
using Whip.Cli.Admin;
using Whip.Cli.Connect;
using Whip.Cli.Pki;
using Whip.Cli.Siblings;
using Whip.Client;
using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Cli;

/// <summary>The <c>whip</c> command: its tree, and how its errors end.</summary>
internal static class WhipCommand
{
    /// <summary>Runs one command line and returns the exit code: 0, 1 when what was asked failed, 2 for a flag or file that is no use.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        try
        {
            if (args.Length > 0 && Sibling.Find(args[0]) is { } sibling)
            {
                return sibling.Run(args.AsSpan(1));
            }

            // An argument that begins with '@' is a name like any other, not a file of arguments.
            var configuration = new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false };
            var parsed = Tree().Parse(FlagNames.WithEmptyValues(args), configuration);
            if (parsed.Action is ParseErrorAction)
            {
                var problem = parsed.UnmatchedTokens is [var unknown, ..] ? $"unknown argument \"{unknown}\"" : parsed.Errors[0].Message.TrimEnd('.');
                await error.WriteLineAsync($"whip: {Printable.Clean(problem, maxLength: 2048)}; see whip --help");
                return 2;
            }

            var terminal = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false };
            return await parsed.InvokeAsync(terminal);
        }
        catch (WhipOptionException e)
        {
            await error.WriteLineAsync($"whip: {e.Named(NameOf).Message}");
            return 2;
        }
    }

    /// <summary>The options of the dialer by their flags; what the commands define themselves has the name of its flag already.</summary>
    private static string NameOf(string option) => option switch
    {
        nameof(WhipDialerOptions.Brokers) => "--broker",
        $"{nameof(WhipDialerOptions.Tls)}.{nameof(WhipTlsOptions.Enabled)}" => "--tls",
        _ => char.IsAsciiLetterUpper(option[0]) ? $"--{FlagNames.Kebab(option)}" : option,
    };

    private static RootCommand Tree()
    {
        var root = new RootCommand("Whip's tools: certificates, dials, a look at brokers, and the programs.")
        {
            PkiCommand.Create(TimeProvider.System),
            ConnectCommand.Create(),
            StatusCommand.Create(),
            ClientsCommand.Create(),
            ExplainCommand.Create(),
        };
        foreach (var sibling in Sibling.All)
        {
            root.Add(new Command(sibling.Name, $"Runs {sibling.Program} with the arguments that follow."));
        }

        root.Options.OfType<VersionOption>().Single().Action = new ShowVersion();
        return root;
    }

    private sealed class ShowVersion : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var assembly = typeof(WhipCommand).Assembly;
            parseResult.InvocationConfiguration.Output.WriteLine($"whip {assembly.GetName().Version!.ToString(3)}");
            return 0;
        }
    }
}
