using Whip.Hosting.Listening;
using Whip.Protocol.Options;

namespace Whip.Tests.Hosting.Listening;

public sealed class DescriptorBudgetTests
{
    private const int Margin = 12;

    [Fact]
    public void What_does_not_fit_ends_the_oldest_that_can_be_spared_and_is_refused_when_there_is_none()
    {
        var budget = Descriptors.Of(Margin + 4);
        var ended = new List<string>();
        var strangers = new UnauthenticatedGate(10, budget);
        Enter(new UnauthenticatedGate(10, budget, SpareKind.Idle), "idle");
        Enter(strangers, "older");
        Enter(strangers, "newer");
        Enter(new UnauthenticatedGate(10, budget, SpareKind.Kept), "kept");
        Assert.Empty(ended);
        Assert.False(budget.TryTakeSpare());

        for (var i = 0; i < 4; i++)
        {
            Assert.True(budget.TryTake());
        }

        Assert.Equal(["kept", "older", "newer", "idle"], ended);
        Assert.False(budget.TryTake());
        Assert.Equal(4, budget.InUse);
        budget.Return();
        Assert.True(budget.TryTakeSpare());

        void Enter(UnauthenticatedGate gate, string name)
        {
            Assert.True(budget.TryTake());
            gate.Enter(() =>
            {
                ended.Add(name);
                budget.Return();
            });
        }
    }

    [Fact]
    public void A_connection_whose_handshake_runs_or_that_has_authenticated_is_not_ended()
    {
        var budget = Descriptors.Of(Margin + 2);
        var gate = new UnauthenticatedGate(10, budget);
        var entries = Enumerable.Range(0, 2).Select(_ => Enter()).ToList();
        entries[0].Shield();
        entries[1].Leave();
        Assert.False(budget.TryTake());

        entries[0].Unshield();
        Assert.True(budget.TryTake());
        Assert.True(entries[0].IsEvicted);

        UnauthenticatedGate.Entry Enter()
        {
            Assert.True(budget.TryTake());
            return gate.Enter(() => budget.Return());
        }
    }

    [Fact]
    public void The_place_that_a_dial_reserves_is_for_a_leg_and_for_nothing_else()
    {
        var budget = Descriptors.Of(Margin + 2);
        Assert.True(budget.TryTake());
        Assert.True(budget.TryReserve());
        Assert.False(budget.TryTake());
        Assert.False(budget.TryReserve());
        Assert.True(budget.TryTakeReserved());
        budget.Unreserve();
        Assert.Equal(2, budget.InUse);
        Assert.False(budget.TryTakeReserved());
    }

    [Fact]
    public void What_the_process_opens_for_itself_is_not_given_away()
    {
        var (time, open) = (new FakeTimeProvider(), 100);
        var budget = new DescriptorBudget(256, () => open, time);
        Assert.Equal(256 - 100 - Margin, budget.Size);
        Assert.True(budget.TryTake(10));
        open = 130;
        Assert.Equal(256 - 100 - Margin, budget.Size);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(256 - 120 - Margin, budget.Size);
        Assert.True(budget.TryTake(256 - 120 - Margin - 10));
        Assert.False(budget.TryTake());

        // Places may be taken a moment before their descriptors are opened.
        open = 100;
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(budget.TryTake(2));
        Assert.True(budget.TryTake());
    }

    [Fact]
    public void A_limit_that_is_too_small_is_refused_with_the_one_that_is_needed()
    {
        Descriptors.Of(256).Require(256);
        var error = Assert.Throws<WhipOptionException>(() => Descriptors.Of(255).Require(256));
        Assert.Equal("ulimit -n \"255\": is too few open files to serve with; try at least 256; two more for each relay", error.Message);
    }
}
