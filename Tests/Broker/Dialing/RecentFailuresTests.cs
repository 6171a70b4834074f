using Whip.Broker.Dialing;
using Whip.Protocol.Dialing;

namespace Whip.Tests.Broker.Dialing;

public sealed class RecentFailuresTests
{
    [Fact]
    public void The_last_of_a_name_are_told_newest_first_and_the_oldest_of_all_are_forgotten()
    {
        var failures = new RecentFailures(TimeProvider.System);
        failures.Add("first", 1, "here", DialResult.Failed(DialOutcome.NoSuchHost, "none"));
        for (var port = 1; port < RecentFailures.Capacity; port++)
        {
            failures.Add("name", port, "here", DialResult.Failed(DialOutcome.NoSuchHost, "none"));
        }

        Assert.Equal([RecentFailures.Capacity - 1, RecentFailures.Capacity - 2], failures.Of("name", 2).Select(failure => failure.Port));
        Assert.Single(failures.Of("first", 10));
        failures.Add("last", 1, "here", DialResult.Failed(DialOutcome.NoSuchHost, "none"));
        Assert.Empty(failures.Of("first", 10));
        Assert.Equal(RecentFailures.Capacity - 1, failures.Of("name", int.MaxValue).Count);
    }
}
