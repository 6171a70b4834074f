using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Whip.Bench.Cluster;
using Whip.Bench.Cluster.Scenarios;
using Whip.Harness.Cluster;
using Whip.Protocol.Options;

namespace Whip.Bench;

/// <summary>The options of the commands. Everything a user can ask for is bounded.</summary>
internal sealed class BenchOptions
{
    private const double MinSeconds = 0.5;
    private const double MaxSeconds = 600;

    private static readonly TimeSpan MinSoak = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxSoak = TimeSpan.FromHours(24);

    public Option<string> Programs { get; } = new("--programs")
    {
        Description = "The folder of whip-broker, whip-agent, whip-proxy and whip, such as another build's",
        DefaultValueFactory = _ => AppContext.BaseDirectory,
        Recursive = true,
    };

    public Option<bool> Tls { get; } = new("--tls") { Description = "Mutual TLS, or with --tls=false plain", DefaultValueFactory = _ => true };

    public Option<double> Seconds { get; } = SecondsOption("How long each figure is counted, after its warm-up", 10);

    public Option<double> Trouble { get; } = SecondsOption("How long the trouble of a scenario lasts, where it does not end by itself", 30);

    public Option<TimeSpan> For { get; } = new("--for")
    {
        Description = "How long, such as 10m",
        DefaultValueFactory = _ => TimeSpan.FromMinutes(10),
        CustomParser = result => GoDuration.TryParse(result.Tokens[0].Value, out var length) && length >= MinSoak && length <= MaxSoak
            ? length
            : Refuse<TimeSpan>(result, $"a duration from {MinSoak.TotalSeconds}s to {MaxSoak.TotalHours}h"),
    };

    public Option<bool> Saturated { get; } = new("--saturated") { Description = "Every core is kept busy meanwhile" };

    public Argument<string> Scenario { get; } = new("NAME")
    {
        Description = $"all, or one of {string.Join(", ", ScenarioList.All.Select(s => s.Name))}",
        DefaultValueFactory = _ => "all",
        CustomParser = result => result.Tokens[0].Value is var name && (name is "all" || ScenarioList.All.Any(s => s.Name == name))
            ? name
            : RefuseName(result),
    };

    public Option<int> Runs { get; } = NumberOption("--runs", "How often each scenario is run, each time with the next seed", 1, 1, 1000);

    public Option<int> Seed { get; } = NumberOption("--seed", "Of all choices of the first run", Random.Shared.Next(1_000_000), 0, int.MaxValue - 1000);

    public Option<int> AgentCount { get; } = NumberOption("--agents", "How many agents; 0 is the scenario's own number", 0, 0, 10_000);

    public Option<int> StreamCount { get; } = NumberOption("--streams", "How many streams, over three brokers", 1_000_000, 30_000, 10_000_000);

    public Option<int> ClientCount { get; } = NumberOption("--clients", "How many clients, over three silos", 100_000, 1_000, 1_000_000);

    public Option<int> Rate { get; } = NumberOption("--rate", "Dials per second, begun on time however the last ones fare", 100, 1, 1000);

    public Option<string?> Logs { get; } = new("--logs") { Description = "A folder that gets the brokers' whole logs" };

    public SizesOption Concurrency { get; } = new("--concurrency", "How many dials are under way at a time; figures for each", [1, 32]);

    public SizesOption Streams { get; } = new("--streams", "How many streams carry bytes at a time; figures for each", [1, 8]);

    public SizesOption Agents { get; } = new("--agents", "Two numbers of idle agents, between which the slope is taken", [200, 1000], isSlope: true);

    public SizesOption Relays { get; } = new("--relays", "Two numbers of idle relays, between which the slope is taken", [200, 1000], isSlope: true);

    public string ProgramFolder(ParseResult parsed) => Path.GetFullPath(parsed.GetRequiredValue(Programs));

    public IEnumerable<(string Name, IScenario Scenario)> Scenarios(ParseResult parsed)
    {
        var name = parsed.GetRequiredValue(Scenario);
        return ScenarioList.All.Where(s => name is "all" || s.Name == name);
    }

    public ChaosOptions Chaos(ParseResult parsed, int runs, TimeSpan length)
    {
        var logs = parsed.GetValue(Logs);
        if (logs is not null)
        {
            Directory.CreateDirectory(logs);
        }

        var setup = new ClusterSetup(ProgramFolder(parsed), parsed.GetRequiredValue(Tls)) { LogFolder = logs };
        var agents = parsed.GetRequiredValue(AgentCount);
        return new ChaosOptions(setup, parsed.GetRequiredValue(Seed), runs, agents > 0 ? agents : null, length, parsed.GetRequiredValue(Rate));
    }

    public TimeSpan Length(ParseResult parsed) => TimeSpan.FromSeconds(parsed.GetRequiredValue(Seconds));

    private static Option<double> SecondsOption(string description, double seconds) => new("--seconds")
    {
        Description = description,
        DefaultValueFactory = _ => seconds,
        CustomParser = result =>
            double.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var seconds) && seconds is >= MinSeconds and <= MaxSeconds
                ? seconds
                : Refuse<double>(result, $"a number from {MinSeconds} to {MaxSeconds}"),
    };

    private static Option<int> NumberOption(string name, string description, int number, int min, int max) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => number,
        CustomParser = result =>
            int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var given) && given >= min && given <= max
                ? given
                : Refuse<int>(result, $"a number from {min} to {max}"),
    };

    private static string? RefuseName(ArgumentResult result)
    {
        result.AddError($"\"{result.Tokens[0].Value}\": no such scenario");
        return null;
    }

    public static T? Refuse<T>(ArgumentResult result, string wanted)
    {
        result.AddError($"{((OptionResult)result.Parent!).Option.Name} \"{result.Tokens[0].Value}\": not {wanted}");
        return default;
    }
}
