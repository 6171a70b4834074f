namespace Whip.Tests.Support;

internal static class FakeTimeAdvance
{
    /// <summary>Lets time pass in small steps, each with real time for sockets to follow, until something has happened.</summary>
    /// <param name="time">Passes.</param>
    /// <param name="condition">What is to happen.</param>
    /// <param name="what">The same in words.</param>
    /// <param name="step">Half a second if not given.</param>
    /// <param name="atMost">Then time stands still, and sockets have all the real time they need to follow: what is due by then must happen.</param>
    public static Task AdvanceUntilAsync(
        this FakeTimeProvider time, Func<bool> condition, string what, TimeSpan? step = null, TimeSpan? atMost = null)
    {
        var steps = step ?? TimeSpan.FromSeconds(0.5);
        var end = time.GetUtcNow() + (atMost ?? TimeSpan.FromDays(365));
        return Patience.UntilAsync(
            () =>
            {
                if (condition())
                {
                    return true;
                }

                if (time.GetUtcNow() + steps <= end)
                {
                    time.Advance(steps);
                }

                return false;
            },
            what);
    }
}
