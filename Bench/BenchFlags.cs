using System.Globalization;
using System.Text.Json;
using Whip.Bench.Beside;
using Whip.Bench.Fuzz;
using Whip.Bench.Scenarios;
using Whip.Hosting.Flags;
using Whip.Protocol.Options;

namespace Whip.Bench;

/// <summary>The flags of one command, in the order of its help. Every value that a user can give is bounded.</summary>
internal sealed class BenchFlags : FlagSet
{
    private const int MaxSize = 10_000;
    private const int MaxInputs = 1_000_000_000;
    private const double MinSeconds = 0.5;
    private const double MaxSeconds = 600;

    public BenchFlags(string name, string description, Func<BenchOptions> newOptions)
        : base(name, description, newOptions)
    {
    }

    /// <summary>A name of <see cref="ScenarioList"/>, without a dash before it.</summary>
    public BenchFlags Scenario() => OneOrAll(nameof(BenchOptions.Scenario), "scenario", ScenarioList.All.Select(scenario => scenario.Name));

    /// <summary>What to fuzz, without a dash before it, and with which inputs.</summary>
    public BenchFlags Inputs() => OneOrAll(nameof(BenchOptions.Target), "target", FuzzRun.Names)
        .Number(nameof(BenchOptions.Inputs), "How many inputs for each target.", 1, MaxInputs)
        .Number(nameof(BenchOptions.From), "The number of the first of them.", 0, MaxInputs)
        .Seed("Of all choices, with the number of an input.");

    public BenchFlags Programs()
    {
        Add(nameof(BenchOptions.Programs), "FOLDER", "Where whip-broker, whip-agent, whip-proxy and whip are, such as another build's.");
        return this;
    }

    public BenchFlags Tls()
    {
        Add(nameof(BenchOptions.MutualTls), "", "Mutual TLS, or with --tls=false plain.", "tls");
        return this;
    }

    public BenchFlags Seconds(string help)
    {
        Add(nameof(BenchOptions.Seconds), "SECONDS", help, Read, json: JsonValueKind.Number);
        return this;

        static object Read(string source, string text) =>
            double.TryParse(text, CultureInfo.InvariantCulture, out var seconds) && seconds is >= MinSeconds and <= MaxSeconds
                ? seconds
                : throw new WhipOptionException(source, text, "not a number in range", $"a number from {MinSeconds} to {MaxSeconds}");
    }

    public BenchFlags Number(string property, string help, int min, int max, string? name = null)
    {
        AddNumber(property, "N", help, min, max, name);
        return this;
    }

    public BenchFlags Sizes(string property, string help, string? name = null) => Number(property, help, 1, MaxSize, name);

    public BenchFlags Dialer()
    {
        Add(nameof(BenchOptions.Dialer), "", "bare: legs of the generator; kept or fresh: the dial library, with connections that are kept or not.");
        Add(nameof(BenchOptions.KeepLegs), "", "The agent keeps its legs; false: it brings one for each dial.");
        return this;
    }

    /// <summary>What scenarios have in common.</summary>
    public BenchFlags Trouble()
    {
        Seed("Of all choices of the first run.");
        AddNumber(nameof(BenchOptions.Agents), "N", "How many agents; 0 is the scenario's own number.", 0, MaxSize);
        AddNumber(nameof(BenchOptions.Rate), "N", "Dials per second, begun on time however the last ones fare.", 1, 1000);
        Add(nameof(BenchOptions.Logs), "FOLDER", "A folder that gets the brokers' whole logs.");
        return Tls();
    }

    public BenchFlags Soak()
    {
        Add(nameof(BenchOptions.For), "DURATION", "How long.");
        Add(nameof(BenchOptions.Saturated), "", "Every core is kept busy meanwhile.");
        return Trouble();
    }

    public BenchFlags Kept()
    {
        Seed("Of all choices.");
        Number(nameof(BenchOptions.Dials), "How many dials, 24 at a time.", 100, 10_000_000);
        Add(nameof(BenchOptions.Logs), "FOLDER", "A folder that gets the brokers' whole logs.");
        return Tls();
    }

    /// <summary>How much is compared with peers, and where the result goes.</summary>
    public BenchFlags Beside()
    {
        Number(nameof(BenchOptions.Pairs), "How often each is measured, in an order that is drawn anew each time.", 1, 1000);
        Add(
            nameof(BenchOptions.Only), "FIGURE", $"Only these of {string.Join(", ", Figure.All.Select(figure => figure.Name))}.",
            static (source, text) => Figure.All.Any(figure => figure.Name == text) ? text
                : throw new WhipOptionException(source, text, "no such figure", "whip-bench beside --help"));
        Add(nameof(BenchOptions.Readme), "FILE", "A document whose table of these figures is renewed; rows that were not measured stay.");
        return Seed("Of the order.");
    }

    public BenchFlags Under(FlagSet shared)
    {
        Inherit(shared);
        return this;
    }

    private BenchFlags Seed(string help)
    {
        Add(
            nameof(BenchOptions.Seed), "N", help,
            static (source, text) => OptionText.Number(source, text, 0, int.MaxValue - 1000), json: JsonValueKind.Number, defaultText: "drawn");
        return this;
    }

    private BenchFlags OneOrAll(string property, string kind, IEnumerable<string> others)
    {
        var names = others.Prepend("all").ToArray();
        AddPositional(
            property, "NAME", $"One of {string.Join(", ", names)}.",
            read: (source, text) => names.Contains(text) ? text : throw new WhipOptionException(source, text, $"no such {kind}", $"{Name} --help"));
        return this;
    }
}
