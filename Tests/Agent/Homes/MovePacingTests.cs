using Microsoft.Extensions.Time.Testing;
using Whip.Agent.Homes;
using Xunit;

namespace Whip.Tests.Agent.Homes;

public sealed class MovePacingTests
{
    [Fact]
    public void Agents_do_not_all_move_to_a_new_broker_at_once()
    {
        var time = new FakeTimeProvider();
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
}
