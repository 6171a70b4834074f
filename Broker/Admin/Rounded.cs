namespace Whip.Broker.Admin;

/// <summary>Times as the API tells them, to a thousandth.</summary>
internal static class Rounded
{
    public static double Seconds(TimeSpan time) => Math.Round(time.TotalSeconds, 3);

    public static double? Seconds(TimeSpan? time) => time is { } known ? Seconds(known) : null;

    public static double? Milliseconds(TimeSpan? time) => time is { } known ? Math.Round(known.TotalMilliseconds, 3) : null;
}
