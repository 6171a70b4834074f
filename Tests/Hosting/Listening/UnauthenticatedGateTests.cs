using Whip.Hosting.Listening;

namespace Whip.Tests.Hosting.Listening;

public sealed class UnauthenticatedGateTests
{
    [Fact]
    public void When_full_the_oldest_goes_and_never_the_newest()
    {
        var gate = new UnauthenticatedGate(2, Descriptors.Many);
        var evicted = new List<int>();
        var entries = Enumerable.Range(0, 4).Select(i => gate.Enter(() => evicted.Add(i))).ToList();

        Assert.Equal([0, 1], evicted);
        Assert.False(entries[0].Leave());
        Assert.True(entries[3].Leave());
        Assert.False(entries[3].Leave());
        Assert.Equal(1, gate.Count);
    }

    [Fact]
    public void Beyond_a_number_the_oldest_go()
    {
        var gate = new UnauthenticatedGate(10, Descriptors.Many);
        var evicted = new List<int>();
        for (var i = 0; i < 5; i++)
        {
            var number = i;
            gate.Enter(() => evicted.Add(number));
        }

        gate.EvictBeyond(5);
        Assert.Empty(evicted);
        gate.EvictBeyond(2);
        Assert.Equal([0, 1, 2], evicted);
        Assert.Equal(2, gate.Count);
    }

    [Fact]
    public void One_that_authenticated_is_not_evicted()
    {
        var gate = new UnauthenticatedGate(1, Descriptors.Many);
        var evicted = 0;
        gate.Enter(() => evicted++).Leave();
        gate.Enter(() => evicted++);
        Assert.Equal(0, evicted);
    }

    [Fact]
    public void One_whose_handshake_is_worked_on_is_passed_over_and_counts()
    {
        var gate = new UnauthenticatedGate(2, Descriptors.Many);
        var evicted = new List<int>();
        var entries = Enumerable.Range(0, 2).Select(i => gate.Enter(() => evicted.Add(i))).ToList();
        entries[0].Shield();
        gate.Enter(() => evicted.Add(2));
        Assert.Equal([1], evicted);
        Assert.Equal(2, gate.Count);

        entries[0].Unshield();
        gate.Enter(() => evicted.Add(3));
        Assert.Equal([1, 0], evicted);
        Assert.False(entries[0].Leave());
    }
}
