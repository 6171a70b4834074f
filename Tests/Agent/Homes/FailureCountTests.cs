using Whip.Agent.Homes;

namespace Whip.Tests.Agent.Homes;

public sealed class FailureCountTests
{
    private readonly FailureCount _failures = new();

    [Fact]
    public void A_stream_that_was_registered_begins_anew_however_short_it_was()
    {
        Fail(12);
        Assert.Equal(12, _failures.InARow);
        _failures.Ended(TimeSpan.FromMilliseconds(60), wasRegistered: true);
        Assert.Equal(1, _failures.InARow);
        Fail(1);
        Assert.Equal(2, _failures.InARow);
    }

    [Fact]
    public void Streams_that_are_registered_and_end_at_once_back_off_until_one_stands()
    {
        for (var count = 1; count <= 5; count++)
        {
            _failures.Ended(TimeSpan.FromMilliseconds(60), wasRegistered: true);
            Assert.Equal(count, _failures.InARow);
        }

        _failures.Ended(TimeSpan.FromSeconds(10), wasRegistered: true);
        Assert.Equal(1, _failures.InARow);
        _failures.Ended(TimeSpan.FromMilliseconds(60), wasRegistered: true);
        Assert.Equal(1, _failures.InARow);
    }

    [Fact]
    public void A_stream_that_nobody_confirmed_counts_as_a_success_only_after_ten_seconds()
    {
        Fail(3);
        _failures.Ended(TimeSpan.FromSeconds(9), wasRegistered: false);
        Assert.Equal(4, _failures.InARow);
        _failures.Ended(TimeSpan.FromSeconds(10), wasRegistered: false);
        Assert.Equal(1, _failures.InARow);
    }

    private void Fail(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _failures.Ended(TimeSpan.Zero, wasRegistered: false);
        }
    }
}
