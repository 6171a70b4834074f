using Whip.Protocol.Legs;

namespace Whip.Bench.Scenarios;

/// <summary>Dialers' ends of relays that are read here. Those on which the dialer sends do so until they end.</summary>
internal sealed class LegRelays : IAsyncDisposable
{
    private readonly Dictionary<char, (Leg Leg, Task<long> End)> _relays = [];

    public void Add(char relay, Leg leg) => _relays.Add(relay, (leg, CarryAsync(relay, leg)));

    /// <summary>The time from <paramref name="since"/> until the relay broke; null if it has not within <paramref name="limit"/>.</summary>
    public async Task<TimeSpan?> EndAsync(char relay, long since, TimeSpan limit)
    {
        try
        {
            return Stopwatch.GetElapsedTime(since, await _relays[relay].End.WaitAsync(limit));
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (leg, end) in _relays.Values)
        {
            leg.Abort();
            await end;
        }
    }

    private static async Task<long> CarryAsync(char relay, Leg leg)
    {
        var sending = SlowSender.RunAsync(relay, leg, () => leg.HasEnded);
        try
        {
            await leg.CopyToAsync(Stream.Null);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // Its end.
        }

        var end = Stopwatch.GetTimestamp();
        leg.Abort();
        await sending;
        return end;
    }
}

/// <summary>Sends on relays whose names say that the dialer does, until they end.</summary>
internal static class SlowSender
{
    private const string Relays = "cC";

    public static async Task RunAsync(char relay, Stream to, Func<bool> hasEnded)
    {
        try
        {
            while (Relays.Contains(relay) && !hasEnded())
            {
                await to.WriteAsync(VanishingService.Piece);
                await to.FlushAsync();
                await Task.Delay(VanishingService.Pause);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Its end.
        }
    }
}
