using Whip.Agent.ControlStreams;
using Whip.Hosting;

namespace Whip.Tests.Agent.ControlStreams;

public sealed class LivenessTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly Liveness _liveness;

    public LivenessTests() => _liveness = new Liveness(new WhipLimits(), _time);

    [Fact]
    public void An_original_server_is_not_pinged_and_may_be_silent_for_75_seconds()
    {
        Advance(74);
        Assert.Null(_liveness.NextPing());
        Assert.Null(_liveness.Overdue());
        Advance(1);
        Assert.NotNull(_liveness.Overdue());
    }

    [Fact]
    public void Any_message_of_an_original_server_is_a_sign_of_life()
    {
        Advance(60);
        _liveness.Heard();
        Advance(60);
        Assert.Null(_liveness.Overdue());
    }

    [Fact]
    public void A_broker_of_ours_is_pinged_every_5_seconds_and_judged_after_12_without_a_pong()
    {
        _liveness.ExpectPongs();
        Advance(4);
        Assert.Null(_liveness.NextPing());
        Advance(1);
        Assert.Equal(1ul, _liveness.NextPing());
        _liveness.Ponged(1);
        Advance(4);
        Assert.Null(_liveness.NextPing());
        Advance(1);
        Assert.Equal(2ul, _liveness.NextPing());
        _liveness.Heard();
        Advance(6);
        Assert.Null(_liveness.Overdue());
        Advance(1);
        Assert.NotNull(_liveness.Overdue());
    }

    [Fact]
    public void A_broker_of_ours_that_answers_no_ping_is_judged_12_seconds_after_its_first_sign()
    {
        _liveness.ExpectPongs();
        Advance(5);
        _liveness.NextPing();
        Advance(6);
        Assert.Null(_liveness.Overdue());
        Advance(1);
        Assert.NotNull(_liveness.Overdue());
    }

    [Fact]
    public void Only_the_answer_to_an_unanswered_ping_counts_as_a_pong()
    {
        _liveness.ExpectPongs();
        Advance(5);
        _liveness.NextPing();
        _liveness.Ponged(1);
        Advance(5);
        _liveness.NextPing();
        Advance(6);
        _liveness.Ponged(1);
        _liveness.Ponged(99);
        Advance(1);
        Assert.NotNull(_liveness.Overdue());
    }

    private void Advance(int seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));
}
