using Whip.Grains.Members;

namespace Whip.Tests.Grains.Members;

public sealed class SiloPingsTests
{
    private static readonly SiloAddress Silo = TestMember.Silo("b");

    private readonly FakeTimeProvider _time = new();
    private readonly SiloPings _pings;

    public SiloPingsTests()
    {
        _pings = new SiloPings(_time);
        _pings.Follow([Silo]);
    }

    private bool IsSuspect => _pings.Of(Silo).IsSuspect;

    [Fact]
    public void No_answer_yet_is_suspect()
    {
        Assert.True(IsSuspect);
        Assert.True(_pings.IsNew(Silo));
        _pings.Answered(Silo, Send());
        Assert.False(IsSuspect);
        Assert.False(_pings.IsNew(Silo));
    }

    [Fact]
    public void An_answer_makes_good_for_the_pings_before_it_and_for_none_after()
    {
        var first = Send();
        var second = Send();
        _pings.Answered(Silo, second);
        _pings.Unanswered(Silo, first, "late");
        Assert.False(IsSuspect);

        var third = Send();
        var fourth = Send();
        _pings.Unanswered(Silo, fourth, "refused");
        _pings.Answered(Silo, third);
        Assert.True(IsSuspect);
        _pings.Answered(Silo, Send());
        Assert.False(IsSuspect);
    }

    [Fact]
    public void A_broker_that_was_held_up_itself_blames_nobody_for_the_pings_before()
    {
        _pings.Answered(Silo, Send());
        var before = Send();
        _time.Advance(TimeSpan.FromSeconds(20));

        // Timeouts are seen before the loop comes to its next turn, and after.
        _pings.Unanswered(Silo, before, "no answer");
        Assert.False(IsSuspect);
        _pings.Tick();
        _pings.Unanswered(Silo, before, "no answer");
        Assert.False(IsSuspect);
        _pings.Unanswered(Silo, Send(), "no answer");
        Assert.True(IsSuspect);
    }

    [Fact]
    public void A_loop_that_is_hardly_late_blames_as_ever()
    {
        _pings.Answered(Silo, Send());
        var before = Send();
        _time.Advance(TimeSpan.FromSeconds(1));
        _pings.Unanswered(Silo, before, "no answer");
        Assert.True(IsSuspect);
    }

    [Fact]
    public void A_silo_that_went_is_forgotten()
    {
        _pings.Answered(Silo, Send());
        _pings.Follow([]);
        _pings.Answered(Silo, Send());
        _pings.Follow([Silo]);
        Assert.True(IsSuspect);
    }

    private long Send()
    {
        _time.Advance(SiloPings.Interval);
        _pings.Tick();
        return _time.GetTimestamp();
    }
}
