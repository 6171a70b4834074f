using System.Globalization;

namespace Whip.Hosting.Grpc;

/// <summary>The value of grpc-timeout: at most eight digits and a unit.</summary>
internal static class GrpcTimeout
{
    /// <summary>What a timer takes; a longer timeout is as good as this one.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(24);

    /// <returns>Null when <paramref name="text"/> is not a timeout.</returns>
    public static TimeSpan? Parse(string? text)
    {
        if (text is not { Length: >= 2 and <= 9 }
            || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
        {
            return null;
        }

        double? ticks = text[^1] switch
        {
            'H' => TimeSpan.TicksPerHour,
            'M' => TimeSpan.TicksPerMinute,
            'S' => TimeSpan.TicksPerSecond,
            'm' => TimeSpan.TicksPerMillisecond,
            'u' => TimeSpan.TicksPerMicrosecond,
            'n' => 1.0 / TimeSpan.NanosecondsPerTick,
            _ => null,
        };
        return ticks is null ? null : TimeSpan.FromTicks((long)Math.Min(value * ticks.Value, Longest.Ticks));
    }
}
