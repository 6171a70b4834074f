using System.CommandLine;
using Whip.Cli.Admin;
using Whip.Cli.Connect;
using Whip.Cli.Forward;
using Whip.Cli.Pki;
using Whip.Hosting.Flags;
using Whip.Hosting.Programs;

namespace Whip.Cli;

/// <summary>The <c>whip</c> command.</summary>
internal static class WhipCommand
{
    // They serve until a signal, as the sibling programs do.
    private static List<ProgramFlags> Servers => [new ForwardFlags(), new SocksFlags()];

    /// <summary>
    /// Runs one command line and returns the exit code: 0, 1 when what was asked failed, 2 for a flag or a file that is not valid, 130 when a
    /// signal interrupted it.
    /// </summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, Func<string, string?>? variable = null)
    {
        if (args.Length > 0 && Sibling.Find(args[0]) is { } sibling)
        {
            await error.WriteLineAsync($"whip: {sibling.Name}: {sibling.Run(args.AsSpan(1))}");
            return 2;
        }

        if (args.Length > 0 && Servers.Find(server => server.Name == $"whip {args[0]}") is { } flags)
        {
            return await WhipProgram.RunAsync<ForwardOptions>(flags, args[1..], static (options, context) => new ForwardProgram(options, context));
        }

        // Before anything is asked of a broker: without a handler a signal ends the process with an exit code of its own.
        using var signals = new StopSignals(ProgramTerminal.OfProcess());
        await using var secondSignal = signals.StopAtOnce.Register(static () => Environment.Exit(CommandTree.Interrupted));
        var tree = new CommandTree("whip", new CommandLine(args, variable ?? Environment.GetEnvironmentVariable), output, error);
        var root = new RootCommand("Whip's tools: certificates, policies, dials, a look at brokers, and the programs.")
        {
            PkiCommand.Create(tree, TimeProvider.System),
            PolicyCommand.Create(tree),
            ConnectCommand.Create(tree),
            StatusCommand.Create(tree),
            ClientsCommand.Create(tree),
            ExplainCommand.Create(tree),
        };
        foreach (var server in Servers)
        {
            root.Add(new Command(server.Name.Split(' ')[^1], server.Description));
        }

        foreach (var program in Sibling.All)
        {
            root.Add(new Command(program.Name, $"Runs {program.Program} with the arguments that follow."));
        }

        return await tree.RunAsync(root, signals.Stop);
    }
}
