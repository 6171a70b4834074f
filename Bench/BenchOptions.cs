using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Whip.Bench.Scenarios;
using Whip.Protocol.Options;

namespace Whip.Bench;

/// <summary>Options of several kinds. Every value that a user can give is bounded.</summary>
internal static class BenchOptions
{
    private const int MaxSize = 10_000;
    private const double MinSeconds = 0.5;
    private const double MaxSeconds = 600;

    private static readonly TimeSpan MinSoak = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxSoak = TimeSpan.FromHours(24);

    public static Argument<string> Scenario() => new("NAME")
    {
        Description = $"all, or one of {string.Join(", ", ScenarioList.All.Select(s => s.Name))}",
        DefaultValueFactory = _ => "all",
        CustomParser = result =>
        {
            var name = result.Tokens[0].Value;
            if (name is not "all" && ScenarioList.All.All(s => s.Name != name))
            {
                result.AddError($"\"{name}\": no such scenario");
            }

            return name;
        },
    };

    public static Option<int> Number(string name, string description, int number, int min, int max) => Bounded(
        name,
        description,
        number,
        (string text, out int given) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out given) && given >= min && given <= max,
        $"a number from {min} to {max}");

    public static Option<double> Seconds(string description, double seconds) => Bounded(
        "--seconds",
        description,
        seconds,
        (string text, out double given) => double.TryParse(text, CultureInfo.InvariantCulture, out given) && given is >= MinSeconds and <= MaxSeconds,
        $"a number from {MinSeconds} to {MaxSeconds}");

    public static Option<TimeSpan> For(TimeSpan length) => Bounded(
        "--for",
        $"How long, such as {length.TotalMinutes}m",
        length,
        (string text, out TimeSpan given) => GoDuration.TryParse(text, out given) && given >= MinSoak && given <= MaxSoak,
        $"a duration from {MinSoak.TotalSeconds}s to {MaxSoak.TotalHours}h");

    /// <param name="name">The flag.</param>
    /// <param name="description">For the help.</param>
    /// <param name="defaults">The numbers by default.</param>
    /// <param name="isSlope">There have to be two, the greater one last.</param>
    public static Option<int[]> Sizes(string name, string description, int[] defaults, bool isSlope = false) => new(name)
    {
        Description = $"{description} [default: {string.Join(',', defaults)}]",
        HelpName = "N,N",
        CustomParser = result =>
        {
            var sizes = Array.ConvertAll(
                result.Tokens[0].Value.Split(','),
                text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size <= MaxSize ? size : 0);
            return sizes.Contains(0) ? Refuse<int[]>(result, $"numbers from 1 to {MaxSize}, with commas between")
                : isSlope && (sizes.Length != 2 || sizes[0] >= sizes[1]) ? Refuse<int[]>(result, "two numbers, the greater one last")
                : sizes;
        },
    };

    private delegate bool Parser<T>(string text, out T value);

    private static Option<T> Bounded<T>(string name, string description, T value, Parser<T> parse, string wanted) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => value,
        CustomParser = result => parse(result.Tokens[0].Value, out var given) ? given : Refuse<T>(result, wanted),
    };

    private static T? Refuse<T>(ArgumentResult result, string wanted)
    {
        result.AddError($"{((OptionResult)result.Parent!).Option.Name} \"{result.Tokens[0].Value}\": not {wanted}");
        return default;
    }
}
