using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Whip.Bench;

/// <summary>The options of the commands. Everything a user can ask for is bounded.</summary>
internal sealed class BenchOptions
{
    private const double MinSeconds = 0.5;
    private const double MaxSeconds = 600;

    public Option<string> Programs { get; } = new("--programs")
    {
        Description = "The folder of whip-broker, whip-agent, whip-proxy and whip, such as another build's",
        DefaultValueFactory = _ => AppContext.BaseDirectory,
        Recursive = true,
    };

    public Option<bool> Tls { get; } = new("--tls") { Description = "Mutual TLS, or with --tls=false plain", DefaultValueFactory = _ => true };

    public Option<double> Seconds { get; } = new("--seconds")
    {
        Description = "How long each figure is counted, after its warm-up",
        DefaultValueFactory = _ => 10,
        CustomParser = result =>
            double.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var seconds) && seconds is >= MinSeconds and <= MaxSeconds
                ? seconds
                : Refuse<double>(result, $"a number from {MinSeconds} to {MaxSeconds}"),
    };

    public SizesOption Concurrency { get; } = new("--concurrency", "How many dials are under way at a time; figures for each", [1, 32]);

    public SizesOption Streams { get; } = new("--streams", "How many streams carry bytes at a time; figures for each", [1, 8]);

    public SizesOption Agents { get; } = new("--agents", "Two numbers of idle agents, between which the slope is taken", [200, 1000], isSlope: true);

    public SizesOption Relays { get; } = new("--relays", "Two numbers of idle relays, between which the slope is taken", [200, 1000], isSlope: true);

    public string ProgramFolder(ParseResult parsed) => Path.GetFullPath(parsed.GetRequiredValue(Programs));

    public TimeSpan Length(ParseResult parsed) => TimeSpan.FromSeconds(parsed.GetRequiredValue(Seconds));

    public static T? Refuse<T>(ArgumentResult result, string wanted)
    {
        result.AddError($"{((OptionResult)result.Parent!).Option.Name} \"{result.Tokens[0].Value}\": not {wanted}");
        return default;
    }
}
