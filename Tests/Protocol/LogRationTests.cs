using Whip.Protocol;

namespace Whip.Tests.Protocol;

public sealed class LogRationTests
{
    [Fact]
    public async Task The_first_lines_of_a_minute_are_written_and_the_others_counted()
    {
        var time = new FakeTimeProvider();
        var counts = new List<int>();
        var ration = new LogRation(2, counts.Add, time);
        Assert.Equal(2, Enumerable.Range(0, 1000).Count(_ => ration.Take()));
        time.Advance(TimeSpan.FromMinutes(1));
        await Patience.UntilAsync(() => counts.Count == 1, "the line that counts the others");
        Assert.Equal([998], counts);
        Assert.Equal(2, Enumerable.Range(0, 3).Count(_ => ration.Take()));
    }
}
