using System.Net;
using Whip.Agent.Homes;
using Whip.Protocol.Names;

namespace Whip.Tests.Agent.Homes;

public sealed class HomeChoiceTests
{
    private static readonly IPEndPoint[] Ten = [.. Enumerable.Range(1, 10).Select(i => new IPEndPoint(new IPAddress([10, 0, 0, (byte)i]), 50051))];

    [Fact]
    public void The_same_agent_chooses_the_same_homes_whatever_order_DNS_answers_in()
    {
        var chosen = Choose("a.testdom", Ten, 3);
        Assert.Equal(3, chosen.Count);
        Assert.Equal(chosen, Choose("a.testdom", Ten.Reverse(), 3));
    }

    [Fact]
    public void A_fleet_spreads_over_all_addresses()
    {
        var homes = Enumerable.Range(0, 1000).SelectMany(i => Choose($"agent{i}.testdom", Ten, 2)).CountBy(a => a);
        Assert.All(homes, h => Assert.InRange(h.Value, 140, 260));
        Assert.Equal(10, homes.Count());
    }

    [Fact]
    public void An_address_that_goes_moves_only_the_agents_that_had_it()
    {
        foreach (var name in Enumerable.Range(0, 100).Select(i => $"agent{i}.testdom"))
        {
            var before = Choose(name, Ten, 2);
            var after = Choose(name, Ten.Where(a => !a.Equals(before[0])), 2);
            Assert.Equal(before[1], after[0]);
        }
    }

    [Fact]
    public void All_homes_means_every_address() => Assert.Equal(10, Choose("a.testdom", Ten, int.MaxValue).Count);

    [Fact]
    public void A_failing_address_is_retried_and_the_next_stands_in()
    {
        var order = Choose("a.testdom", Ten, 10);
        Assert.Equal(order.Take(3), Choose("a.testdom", Ten, 2, c => c with { IsFailing = c.Address == HostPort.Of(order[0]) }));
    }

    [Fact]
    public void When_all_fail_all_are_tried() => Assert.Equal(10, Choose("a.testdom", Ten, 2, c => c with { IsFailing = true }).Count);

    [Fact]
    public void A_drained_address_is_skipped_while_others_work()
    {
        var order = Choose("a.testdom", Ten, 10);
        Assert.Equal([order[1], order[2]], Choose("a.testdom", Ten, 2, c => c with { IsResting = c.Address == HostPort.Of(order[0]) }));
        Assert.Equal([order[0]], Choose("a.testdom", [order[0]], 2, c => c with { IsResting = true }));
        Assert.Equal(
            [order[1], order[0]],
            Choose(
                "a.testdom", order.Take(2), 1,
                c => c with { IsResting = c.Address == HostPort.Of(order[0]), IsFailing = c.Address == HostPort.Of(order[1]) }));
    }

    [Fact]
    public void Another_address_of_the_same_broker_is_no_home_of_its_own()
    {
        var order = Choose("a.testdom", Ten, 10);
        Assert.Equal([order[1], order[2]], Choose("a.testdom", Ten, 2, c => c.Address == HostPort.Of(order[0]) || c.Address == HostPort.Of(order[1])
            ? c with { Broker = "b", AttachedGeneration = c.Address == HostPort.Of(order[1]) ? 2ul : 1ul }
            : c));
    }

    [Fact]
    public void Another_address_of_a_broker_is_tried_once_its_own_fails_and_nothing_else_works()
    {
        var own = CandidateFor.Named("b", Ten[0]) with { IsDirect = true };
        var balancer = CandidateFor.Named("b", Ten[1]);
        Assert.Equal([own], HomeChoice.Choose("a.testdom", [balancer, own], 2));
        Assert.Equal([own with { IsFailing = true }, balancer], HomeChoice.Choose("a.testdom", [balancer, own with { IsFailing = true }], 2));
        var lost = balancer with { IsHeld = true, IsFailing = true };
        Assert.Equal([lost, own], HomeChoice.Choose("a.testdom", [own, lost], 2));
        Assert.DoesNotContain(balancer, HomeChoice.Choose("a.testdom", [balancer, own with { IsFailing = true }, CandidateFor.Broker("c")], 1));
    }

    [Fact]
    public void A_new_broker_moves_only_the_agents_whose_home_it_is()
    {
        var moved = 0;
        foreach (var name in Enumerable.Range(0, 100).Select(i => $"agent{i}.testdom"))
        {
            var three = Brokers("b1", "b2", "b3");
            var before = HomeChoice.Choose(name, three, 2).ConvertAll(c => c.Key);
            var after = HomeChoice.Choose(name, [.. three, .. Brokers("b4")], 2).ConvertAll(c => c.Key);
            Assert.Equal(after.Contains("b4") ? 1 : 2, before.Intersect(after).Count());
            moved += after.Contains("b4") ? 1 : 0;
        }

        Assert.InRange(moved, 30, 70);
    }

    [Fact]
    public void The_second_home_is_in_another_zone_if_there_is_one()
    {
        Candidate[] brokers = [.. new[] { "b1", "b2", "b3" }.Select(id => CandidateFor.Broker(id, "z1")), CandidateFor.Broker("b4", "z2")];
        foreach (var name in Enumerable.Range(0, 50).Select(i => $"agent{i}.testdom"))
        {
            var best = HomeChoice.Choose(name, brokers, 1)[0];
            var two = HomeChoice.Choose(name, brokers, 2);
            Assert.Equal(best, two[0]);
            Assert.Equal(["z1", "z2"], two.Select(c => c.Zone).Order());
            Assert.Equal(4, HomeChoice.Choose(name, brokers, int.MaxValue).Count);
        }
    }

    [Fact]
    public void A_zone_that_is_down_is_not_tried_whole()
    {
        var down = Enumerable.Range(0, 50).Select(i => CandidateFor.Broker($"down{i}", "z2") with { IsFailing = true });
        var chosen = HomeChoice.Choose("a.testdom", [CandidateFor.Broker("b1", "z1"), CandidateFor.Broker("b2", "z3"), .. down], 2);
        Assert.Single(chosen, c => c.IsFailing);
    }

    private static IEnumerable<Candidate> Brokers(params string[] ids) => ids.Select(id => CandidateFor.Broker(id));

    private static List<IPEndPoint> Choose(string name, IEnumerable<IPEndPoint> addresses, int homes, Func<Candidate, Candidate>? change = null) =>
        HomeChoice.Choose(name, addresses.Select(CandidateFor.Address).Select(change ?? (c => c)), homes)
            .ConvertAll(c => IPEndPoint.Parse($"{c.Address}"));
}

internal static class CandidateFor
{
    /// <summary>An address of which nothing more is known.</summary>
    public static Candidate Address(IPEndPoint address) => Named(CandidateList.Unknown(HostPort.Of(address)), address, key: address.ToString());

    public static Candidate Broker(string id, string zone = "") => Named(id, new IPEndPoint(IPAddress.Loopback, 1)) with { Zone = zone };

    public static Candidate Named(string broker, IPEndPoint address, string? key = null) =>
        new(new HomeAddress(address, HostPort.Of($"{address.Address}", address.Port))) { Broker = broker, Key = key ?? broker };
}
