using System.Net;
using Whip.Agent.Homes;
using Xunit;

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
    public void A_failing_address_goes_on_being_tried_and_the_next_stands_in()
    {
        var order = Choose("a.testdom", Ten, 10);
        var chosen = Choose("a.testdom", Ten, 2, a => a.Equals(order[0]) ? HomeCondition.Failing : HomeCondition.Usable);
        Assert.Equal(order.Take(3), chosen);
    }

    [Fact]
    public void When_all_fail_all_are_tried() => Assert.Equal(10, Choose("a.testdom", Ten, 2, _ => HomeCondition.Failing).Count);

    [Fact]
    public void A_drained_address_is_passed_over_while_there_are_others()
    {
        var order = Choose("a.testdom", Ten, 10);
        var chosen = Choose("a.testdom", Ten, 2, a => a.Equals(order[0]) ? HomeCondition.Resting : HomeCondition.Usable);
        Assert.Equal([order[1], order[2]], chosen);
        Assert.Equal([order[0]], Choose("a.testdom", [order[0]], 2, _ => HomeCondition.Resting));
    }

    [Fact]
    public void Another_address_of_the_same_broker_is_no_home_of_its_own()
    {
        var order = Choose("a.testdom", Ten, 10);
        Assert.Equal([order[0], order[2]], Choose("a.testdom", Ten, 2, a => a.Equals(order[1]) ? HomeCondition.Alias : HomeCondition.Usable));
    }

    [Fact]
    public void A_name_that_resolves_to_a_flood_of_addresses_is_cut()
    {
        var flood = Enumerable.Range(0, 5000).Select(i => new IPEndPoint(new IPAddress([10, 1, (byte)(i >> 8), (byte)i]), 1));
        Assert.Equal(HomeChoice.MaxAddresses, Choose("a.testdom", flood, int.MaxValue).Count);
    }

    private static List<IPEndPoint> Choose(
        string name, IEnumerable<IPEndPoint> addresses, int homes, Func<IPEndPoint, HomeCondition>? conditionOf = null) =>
        HomeChoice.Choose(name, addresses, homes, conditionOf ?? (_ => HomeCondition.Usable));
}
