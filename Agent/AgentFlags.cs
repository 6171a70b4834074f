using System.Globalization;
using System.Text.Json;
using Whip.Hosting.Flags;
using Whip.Hosting.Programs;

namespace Whip.Agent;

/// <summary>The flags of <c>whip-agent</c>. The defaults are those of <see cref="WhipAgentOptions"/>.</summary>
internal sealed class AgentFlags
{
    private const string AllHomes = "all";
    private static readonly WhipAgentOptions Defaults = new();

    private readonly Flag<string> _hostname;
    private readonly Flag<string> _domain;
    private readonly Flag<IReadOnlyList<int>> _ports;
    private readonly Flag<string> _targetHost;
    private readonly Flag<IReadOnlyList<string>> _allowDialer;
    private readonly Flag<string> _homes;
    private readonly Flag<string> _zone;
    private readonly Flag<TimeSpan> _drainTimeout;
    private readonly Flag<IReadOnlyList<string>> _endpoints;

    public AgentFlags()
    {
        Set = new FlagSet("whip-agent", "Publishes ports of this machine at brokers.");
        _hostname = Set.Text("hostname", Defaults.Hostname, "The first label of the registered name.", "LABEL");
        _domain = Set.Text("domain", "", "The rest of the registered name; required.", "NAME");
        _ports = Set.Ports("ports", "The ports that may be dialled, 1 to 64 of them; required.");
        _targetHost = Set.Text("target-host", Defaults.TargetHost, "Where these ports are listened on.", "HOST");
        _allowDialer = Set.Texts(
            "allow-dialer", "Who may connect: patterns with * and ? over the names of the dialer's certificate. None: whom the broker lets through.", "GLOB");
        _homes = Set.Text("homes", $"{Defaults.Homes}", "How many broker addresses to register at, of those the endpoints resolve to.", "NUMBER|all");
        _zone = Set.Text("zone", Defaults.Zone, "Where this agent runs, told to the brokers.");
        _drainTimeout = Set.Duration("drain-timeout", Defaults.DrainTimeout, "How long open connections may go on after SIGTERM; then they are reset.");
        _endpoints = Set.PositionalHostPorts("endpoint", "The brokers' gRPC addresses; :PORT is 127.0.0.1. Names are looked up every 5 seconds.");
    }

    public FlagSet Set { get; }

    public WhipAgent Create(FlagValues values, ProgramContext context)
    {
        try
        {
            return new WhipAgent(Options(values), context.LoggerFactory, context.Metrics, context.Time);
        }
        catch (AgentOptionException e)
        {
            throw new StartupException(Describe(e.Option), e.Value.Length == 0 ? null : e.Value, e.Problem, e.Hint);
        }
    }

    private WhipAgentOptions Options(FlagValues values) => new()
    {
        Hostname = values.Get(_hostname),
        Domain = values.Get(_domain),
        TargetHost = values.Get(_targetHost),
        Homes = Homes(values.Get(_homes)),
        Zone = values.Get(_zone),
        DrainTimeout = values.Get(_drainTimeout),
        Tls = values.TlsOptions,
        Ports = [.. values.Get(_ports)],
        AllowDialers = [.. values.Get(_allowDialer)],
        Endpoints = [.. values.Get(_endpoints)],
    };

    private static int Homes(string text) =>
        text == AllHomes ? WhipAgentOptions.AllHomes
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var homes) && homes > 0 ? homes
        : throw new StartupException("--homes", text, "neither a number nor all", "2 or all");

    private string Describe(string option) =>
        option == nameof(WhipAgentOptions.Endpoints) ? _endpoints.Unit : $"--{JsonNamingPolicy.KebabCaseLower.ConvertName(option)}";
}
