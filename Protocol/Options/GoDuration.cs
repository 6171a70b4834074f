using System.Globalization;
using System.Text.RegularExpressions;

namespace Whip.Protocol.Options;

/// <summary>Durations as Go writes them and flags take them: <c>250ms</c>, <c>1m30s</c>, <c>1.5h</c>, <c>720h</c>; <c>0</c> needs no unit.</summary>
internal static partial class GoDuration
{
    // A longer number would not overflow, but means more than Go's 292 years in every unit.
    [GeneratedRegex(@"^(?:0|(?:([0-9]{1,13}(?:\.[0-9]{1,9})?)(ms|s|m|h))+)\z")]
    private static partial Regex Pattern { get; }

    /// <summary>Never negative, and at most Go's longest, some 292 years.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var match = Pattern.Match(text);
        if (!match.Success)
        {
            return false;
        }

        var seconds = match.Groups[1].Captures.Zip(match.Groups[2].Captures, (number, unit) =>
            decimal.Parse(number.ValueSpan, CultureInfo.InvariantCulture) * SecondsPer(unit.Value)).Sum();
        if (seconds > long.MaxValue / 1_000_000_000)
        {
            return false;
        }

        duration = TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond));
        return true;
    }

    public static string Format(TimeSpan value) => value switch
    {
        { TotalMilliseconds: < 1000 and > 0 } => $"{value.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)}ms",
        _ when value.Ticks % TimeSpan.TicksPerHour == 0 && value > TimeSpan.Zero => $"{(long)value.TotalHours}h",
        _ when value.Ticks % TimeSpan.TicksPerMinute == 0 && value > TimeSpan.Zero => $"{(long)value.TotalMinutes}m",
        _ => $"{value.TotalSeconds.ToString(CultureInfo.InvariantCulture)}s",
    };

    private static decimal SecondsPer(string unit) => unit switch { "ms" => 0.001m, "s" => 1, "m" => 60, _ => 3600 };
}
