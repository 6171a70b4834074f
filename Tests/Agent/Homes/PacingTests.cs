using Whip.Agent.Homes;
using Whip.Protocol;

namespace Whip.Tests.Agent.Homes;

public sealed class PacingTests
{
    private readonly Backoff _backoff = new(TimeSpan.FromSeconds(0.25), TimeSpan.FromSeconds(30));

    [Fact]
    public void Agents_do_not_all_move_to_a_new_broker_at_once()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var agents = Enumerable.Range(0, 1000).Select(_ => new MovePacing(time)).ToList();
        int[] waiting = [.. Enumerable.Range(0, 6).Select(_ =>
        {
            var count = agents.Count(a => a.MustWait());
            time.Advance(TimeSpan.FromSeconds(1));
            return count;
        })];
        Assert.InRange(waiting[0], 990, 1000);
        Assert.InRange(waiting[2], 500, 700);
        Assert.InRange(waiting[4], 130, 270);
        Assert.Equal(0, waiting[5]);
        agents[0].Reset();
        Assert.True(agents[0].MustWait());
    }

    [Theory]
    [InlineData(1, 0.25)]
    [InlineData(2, 0.5)]
    [InlineData(7, 16)]
    [InlineData(8, 30)]
    [InlineData(1000, 30)]
    public void The_ceiling_doubles_up_to_half_a_minute(int failures, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), _backoff.Ceiling(failures));

    [Fact]
    public void The_delay_is_anywhere_below_the_ceiling()
    {
        var random = new Random(1);
        var delays = Enumerable.Range(0, 1000).Select(_ => _backoff.Delay(8, random).TotalSeconds).ToList();
        Assert.InRange(delays.Min(), 0, 1);
        Assert.InRange(delays.Max(), 29, 30);
        Assert.InRange(delays.Average(), 13, 17);
    }
}
