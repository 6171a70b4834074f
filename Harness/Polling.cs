using System.Diagnostics;

namespace Whip.Harness;

/// <summary>Waits for a state that nothing announces.</summary>
internal static class Polling
{
    public static Task<bool> UntilAsync(Func<bool> condition, TimeSpan limit, TimeSpan interval, CancellationToken cancellationToken) =>
        UntilAsync(() => Task.FromResult(condition()), limit, interval, cancellationToken);

    /// <returns>Whether the state was reached within <paramref name="limit"/>.</returns>
    public static async Task<bool> UntilAsync(Func<Task<bool>> condition, TimeSpan limit, TimeSpan interval, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > limit)
            {
                return false;
            }

            await Task.Delay(interval, cancellationToken);
        }

        return true;
    }
}
