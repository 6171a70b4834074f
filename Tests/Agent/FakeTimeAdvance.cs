using Microsoft.Extensions.Time.Testing;
using Whip.Tests.Support;

namespace Whip.Tests.Agent;

internal static class FakeTimeAdvance
{
    /// <summary>Lets time pass in small steps, each with real time for sockets to follow, until something has happened.</summary>
    public static Task AdvanceUntilAsync(this FakeTimeProvider time, Func<bool> condition, string what, TimeSpan? step = null) => Patience.UntilAsync(
        () =>
        {
            if (condition())
            {
                return true;
            }

            time.Advance(step ?? TimeSpan.FromSeconds(0.5));
            return false;
        },
        what);
}
