using System.Collections.Concurrent;
using Whip.Registry.Peers;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Broker.Peers;

public sealed class PeerLinksTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_broker_asks_every_other_what_it_holds(bool tls)
    {
        await using var b1 = new PeerBroker("b1", tls);
        await using var b2 = new PeerBroker("b2", tls);
        await using var b3 = new PeerBroker("b3", tls);
        b3.Hold("i1.d", 80);
        await PeerBroker.ClusterAsync(b1, b2, b3);
        Assert.Equal(["b2", "b3"], b1.Links.All.Select(peer => peer.Id));
        await b1.LinkedAsync(b3);
        await b2.LinkedAsync(b3);
        await b3.LinkedAsync(b1);

        Assert.Equal(new NameReport { IsInstance = true, Publishes = true, KnowsParent = true }, await b1.AskAsync(b3, "i1.d", 80));
        Assert.Equal(new NameReport { IsDomain = true }, await b2.AskAsync(b3, "d", 81));
        Assert.Equal(NameReport.Nothing, await b3.AskAsync(b1, "i1.d", 80));
        await Patience.UntilAsync(() => b1.PeerOf(b3).RoundTrip is not null, "a round trip");
        await Patience.UntilAsync(() => b3.Gate.Count == 0, "no link counts as unauthenticated");
    }

    [Fact]
    public async Task A_broker_that_is_no_member_answers_nothing()
    {
        await using var b1 = new PeerBroker("b1", tls: false);
        Assert.Null(await b1.Links.LookupAsync("b9", new NameQuery("i1.d", 80), default));
        Assert.True(b1.Links.Suspected("b9").IsCancellationRequested);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_watched_name_is_announced_by_who_holds_it_and_by_who_comes_to_hold_it(bool tls)
    {
        await using var b1 = new PeerBroker("b1", tls);
        await using var b2 = new PeerBroker("b2", tls);
        await using var b3 = new PeerBroker("b3", tls);
        await PeerBroker.ClusterAsync(b1, b2, b3);
        await b1.LinkedAsync(b2);
        await b1.LinkedAsync(b3);
        b2.Hold("i1.d", 80);

        var announced = new BlockingCollection<string>();
        using (b1.Links.Watch("i1.d", announced.Add))
        using (b1.Links.Watch("d", announced.Add))
        {
            Assert.Equal(["b2", "b2"], [Next(announced), Next(announced)]);
            Assert.Equal(NameReport.Nothing, await b1.AskAsync(b3, "i1.d", 80));
            b3.Hold("i2.d", 80);
            Assert.Equal("b3", Next(announced));
            b3.Hold("i1.d", 80);
            Assert.Equal(["b3", "b3"], [Next(announced), Next(announced)]);
        }

        await b1.AskAsync(b3, "d", 80);
        b3.Hold("i3.d", 80);
        await b1.AskAsync(b3, "d", 80);
        Assert.Empty(announced);
    }

    [Fact]
    public async Task A_second_watch_of_a_name_that_is_held_is_told_too()
    {
        await using var b1 = new PeerBroker("b1", tls: false);
        await using var b2 = new PeerBroker("b2", tls: false);
        await PeerBroker.ClusterAsync(b1, b2);
        await b1.LinkedAsync(b2);
        b2.Hold("i1.d", 80);
        var first = new BlockingCollection<string>();
        var second = new BlockingCollection<string>();
        using var watch1 = b1.Links.Watch("i1.d", first.Add);
        Assert.Equal("b2", Next(first));
        using var watch2 = b1.Links.Watch("i1.d", second.Add);
        Assert.Equal("b2", Next(second));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_watch_outlives_the_link(bool tls)
    {
        await using var b1 = new PeerBroker("b1", tls);
        await using var b2 = new PeerBroker("b2", tls);
        await PeerBroker.ClusterAsync(b1, b2);
        await b1.LinkedAsync(b2);
        var suspected = b1.Links.Suspected("b2");
        Assert.False(suspected.IsCancellationRequested);
        await b2.StopListeningAsync();
        await Patience.UntilAsync(() => b1.PeerOf(b2) is { IsLinked: false, IsSuspect: true }, "the link is lost");
        await Patience.UntilAsync(() => suspected.IsCancellationRequested, "who waits for the broker is told");
        Assert.Null(await b1.TryAskAsync(b2, "i1.d", 80));

        var announced = new BlockingCollection<string>();
        using var watch = b1.Links.Watch("i1.d", announced.Add);
        b2.Hold("i1.d", 80);
        await b2.ListenAsync();
        Assert.Equal("b2", Next(announced));
        await b1.LinkedAsync(b2);
        Assert.Equal(["Linked", "Lost", "Linked"], b1.Logs.Records.Select(record => record.Event.Name).Where(name => name is "Linked" or "Lost" or "NotLinked"));
    }

    [Fact]
    public async Task A_name_watched_by_more_than_the_registry_has_room_for_is_announced_all_the_same()
    {
        await using var b1 = new PeerBroker("b1", tls: false);
        await using var b2 = new PeerBroker("b2", tls: false);
        await PeerBroker.ClusterAsync(b1, b2);
        await b1.LinkedAsync(b2);
        var full = new[] { b2.Routes.Watch("i1.d"), b2.Routes.Watch("i1.d") };
        Assert.Null(b2.Routes.Watch("i1.d"));
        var announced = new BlockingCollection<string>();
        using var watch = b1.Links.Watch("i1.d", announced.Add);
        await b1.AskAsync(b2, "i1.d", 80);
        b2.Hold("i1.d", 80);
        Assert.Equal("b2", Next(announced));
        Assert.All(full, Assert.NotNull);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_broker_that_stops_answering_is_suspect_until_it_answers(bool tls)
    {
        await using var b1 = new PeerBroker("b1", tls);
        await using var b2 = new PeerBroker("b2", tls);
        await PeerBroker.ClusterAsync(b1, b2);
        await b1.LinkedAsync(b2);
        var suspected = b1.Links.Suspected("b2");
        b2.IsFrozen = true;
        Assert.Null(await b1.TryAskAsync(b2, "i1.d", 80));
        await Patience.UntilAsync(() => b1.PeerOf(b2).IsSuspect, "suspect");
        await Patience.UntilAsync(() => suspected.IsCancellationRequested, "who waits for the broker is told");
        await b1.Logs.WaitForAsync("Suspect");
        await b1.Logs.WaitForAsync("Lost");
        b2.IsFrozen = false;
        await b1.LinkedAsync(b2);
        Assert.Equal(NameReport.Nothing, await b1.AskAsync(b2, "i1.d", 80));
    }

    [Fact]
    public async Task A_member_that_leaves_moves_or_is_told_suspect_is_followed()
    {
        await using var b1 = new PeerBroker("b1", tls: false);
        await using var b2 = new PeerBroker("b2", tls: false);
        await using var b3 = new PeerBroker("b3", tls: false);
        await PeerBroker.ClusterAsync(b1, b2, b3);
        await b1.LinkedAsync(b2);
        await b1.LinkedAsync(b3);

        b1.Know(b1.Member, b2.Member with { IsSuspect = true });
        await Patience.UntilAsync(() => b1.Links.All is [{ Id: "b2", IsLinked: true, IsSuspect: true }], "only b2 is left, linked and suspect");
        var moved = b2.Member;
        await b2.StopListeningAsync();
        await using var other = new PeerBroker("b2", tls: false);
        await other.ListenAsync();
        b1.Know(b1.Member, other.Member with { Incarnation = 2 });
        await b1.LinkedAsync(other);
        Assert.NotEqual(moved.ExternalGrpc, b1.PeerOf(other).Member.ExternalGrpc);
    }

    private static string Next(BlockingCollection<string> announced)
    {
        Assert.True(announced.TryTake(out var id, Patience.Long), "nothing was announced");
        return id;
    }
}
