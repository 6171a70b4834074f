using Whip.Agent.Homes;
using Xunit;

namespace Whip.Tests.Agent.Homes;

public sealed class BackoffTests
{
    [Theory]
    [InlineData(1, 0.25)]
    [InlineData(2, 0.5)]
    [InlineData(7, 16)]
    [InlineData(8, 30)]
    [InlineData(1000, 30)]
    public void The_ceiling_doubles_up_to_half_a_minute(int failures, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Backoff.Ceiling(failures));

    [Fact]
    public void The_delay_is_anywhere_below_the_ceiling()
    {
        var random = new Random(1);
        var delays = Enumerable.Range(0, 1000).Select(_ => Backoff.Delay(8, random).TotalSeconds).ToList();
        Assert.InRange(delays.Min(), 0, 1);
        Assert.InRange(delays.Max(), 29, 30);
        Assert.InRange(delays.Average(), 13, 17);
    }
}
