using System.Collections.Concurrent;
using Whip.Broker.Peers;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Broker.Peers;

public sealed class AnsweredWatchesTests
{
    [Fact]
    public async Task Registrations_that_come_before_the_announcement_has_left_are_one_announcement()
    {
        await using var broker = new PeerBroker("b1", tls: false);
        var announced = new ConcurrentQueue<string>();
        using var watches = new AnsweredWatches(broker.Routes, announced.Enqueue);
        watches.Add("d");
        watches.Add("e");
        broker.Hold("i1.d", 80);
        broker.Hold("i2.d", 80);
        broker.Hold("i3.d", 80);
        broker.Hold("i1.e", 80);
        await Patience.UntilAsync(() => announced.Count == 2, "an announcement of each");
        Assert.Equal(["d", "e"], announced.Order());

        watches.Rearm("d");
        broker.Hold("i4.d", 80);
        await Patience.UntilAsync(() => announced.Count == 3, "another announcement");
        Assert.Equal("d", announced.Last());
    }

    [Fact]
    public async Task The_end_of_a_link_gives_its_places_back()
    {
        await using var broker = new PeerBroker("b1", tls: false);
        using (var first = new AnsweredWatches(broker.Routes, _ => { }))
        using (var second = new AnsweredWatches(broker.Routes, _ => { }))
        {
            first.Add("d");
            second.Add("d");
            Assert.Null(broker.Routes.Watch("d"));
            first.Remove("d");
            using var third = broker.Routes.Watch("d");
            Assert.NotNull(third);
        }

        using var one = broker.Routes.Watch("d");
        using var two = broker.Routes.Watch("d");
        Assert.NotNull(two);
    }
}
