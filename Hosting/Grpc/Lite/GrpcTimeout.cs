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
        if (text is not { Length: >= 2 and <= 9 } || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
        {
            return null;
        }

        TimeSpan? unit = text[^1] switch
        {
            'H' => TimeSpan.FromHours(1),
            'M' => TimeSpan.FromMinutes(1),
            'S' => TimeSpan.FromSeconds(1),
            'm' => TimeSpan.FromMilliseconds(1),
            'u' => TimeSpan.FromMicroseconds(1),
            'n' => TimeSpan.Zero,
            _ => null,
        };
        if (unit is not { } one)
        {
            return null;
        }

        return value * (double)one.Ticks >= Longest.Ticks ? Longest : value * one;
    }
}
