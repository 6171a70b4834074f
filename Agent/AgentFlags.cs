using System.Globalization;
using Whip.Hosting.Flags;
using Whip.Protocol.Options;
using Options = Whip.Agent.WhipAgentOptions;

namespace Whip.Agent;

/// <summary>The flags of <c>whip-agent</c>.</summary>
internal sealed class AgentFlags : ProgramFlags
{
    /// <summary>For <see cref="Options.CheckThreshold"/>.</summary>
    public const int MaxThreshold = 100;

    private const string AllHomes = "all";

    public AgentFlags()
        : base("whip-agent", "Publishes ports of this machine at brokers.", static () => new Options())
    {
        Add(nameof(Options.Hostname), "LABEL", "The first label of the registered name.");
        Add(nameof(Options.Domain), "NAME", "The rest of the registered name; required.");
        Add(
            nameof(Options.Ports), "PORT[=TARGET],...",
            "The ports that may be dialled, 1 to 64 of them, and where the agent connects for each: another port, HOST:PORT or unix:PATH; required.",
            PublishedPort.Read, json: Flag.NumberOrText);
        Add(nameof(Options.TargetHost), "HOST", "Where the ports are listened on that name no host of their own.");
        Add(
            nameof(Options.ProxyProtocol), "PORT[=address]",
            "Tell the service of a port who dials, by a header of the PROXY protocol v2; with =address only from where, and no names.",
            static (_, text) => text, json: Flag.NumberOrText);
        Add(
            nameof(Options.Checks), "PORT=CHECK",
            "Check the service behind a port: tcp connects, http:PATH wants a status of 2xx or 3xx. While it fails, the port is not dialled.", "check");
        Add(nameof(Options.CheckInterval), "DURATION", "From one check of a port to the next.");
        Add(nameof(Options.CheckTimeout), "DURATION", "How long a check may take before it has failed.");
        AddNumber(nameof(Options.CheckThreshold), "NUMBER", "How many checks in a row must fail, or pass, before that counts.", 1, MaxThreshold);
        Add(
            nameof(Options.AllowDialers), "GLOB",
            "Which dialers may connect: patterns with * and ? for the names in the dialer's certificate. Default: all that the broker allows.",
            "allow-dialer",
            isRestriction: true);
        Add(nameof(Options.Homes), "NUMBER|all", "How many broker addresses to register at, of those the endpoints resolve to.", Homes);
        Add(nameof(Options.Zone), "TEXT", "Where this agent runs; sent to the brokers.");
        Add(nameof(Options.Keep), "", "Use a leg to a broker for one dial after the other; false opens one for each.");
        AddVia($"{nameof(Options.Via)}.");
        Add(nameof(Options.DrainTimeout), "DURATION", "How long open connections may continue after SIGTERM before they are reset.");
        AddPositional(
            nameof(Options.Endpoints), "HOST:PORT",
            "The brokers' gRPC addresses; :PORT is 127.0.0.1. Names are looked up every 5 seconds.", "endpoint");
    }

    private static object Homes(string source, string text) =>
        text == AllHomes ? Options.AllHomes
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var homes) && homes > 0 ? homes
        : throw new WhipOptionException(source, text, "neither a number nor all", "2 or all");
}
