using System.Text.RegularExpressions;
using Whip.Agent;
using Whip.Bench;
using Whip.Broker;
using Whip.Cli;
using Whip.Cli.Forward;
using Whip.Hosting.Flags;
using Whip.Proxy;

namespace Whip.Tests.Docs;

/// <summary>What the programs say of their flags.</summary>
internal static partial class ProgramHelp
{
    private static readonly string[][] WhipCommands =
    [
        ["--help"], ["pki", "--help"], ["pki", "genselfsignedca", "--help"], ["pki", "genintermediateca", "--help"],
        ["pki", "createandsign", "server", "--help"], ["pki", "createandsign", "client", "--help"],
        ["policy", "check", "--help"], ["connect", "--help"], ["status", "--help"], ["clients", "--help"], ["explain", "--help"],
    ];

    private static readonly string[] BenchCommands = ["dials", "relay", "memory", "registry", "chaos", "soak", "kept", "beside", "fuzz"];

    [GeneratedRegex("--[a-z][a-z0-9-]+")]
    public static partial Regex FlagName { get; }

    /// <summary>The flags of the programs that serve, by program.</summary>
    public static IReadOnlyDictionary<string, ProgramFlags> Sets { get; } =
        new ProgramFlags[] { new BrokerFlags(), new AgentFlags(), new ProxyFlags(), new ForwardFlags(), new SocksFlags() }.ToDictionary(set => set.Name);

    /// <summary>Every flag of every program, with its dashes.</summary>
    public static async Task<HashSet<string>> AllFlagsAsync()
    {
        var help = string.Concat(Sets.Values.Select(set => set.Parse(["--help"], _ => null).Answer));
        foreach (var command in WhipCommands)
        {
            using var output = new StringWriter();
            await WhipCommand.RunAsync(command, output, output);
            help += output;
        }

        foreach (var command in BenchCommands)
        {
            using var output = new StringWriter();
            await BenchCommand.RunAsync([command, "--help"], output, output, CancellationToken.None);
            help += output;
        }

        return [.. FlagName.Matches(help).Select(match => match.Value)];
    }
}
