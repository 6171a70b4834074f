using System.Diagnostics;
using Whip.Bench.Load;

namespace Whip.Tests.Bench;

public sealed class DialReportTests
{
    private static readonly long Second = Stopwatch.Frequency;

    [Theory]
    [InlineData(9.9, 10.5, true)]
    [InlineData(10.05, 10.5, true)]
    [InlineData(9.0, 9.5, false)]
    [InlineData(10.5, 11.0, false)]
    public void A_stream_is_cut_only_if_it_stood_when_a_broker_crashed(double connected, double ended, bool isCut)
    {
        var dial = new DialRecord("a.b", At(9), At(connected), At(ended), "no answer: reset");
        var report = new DialReport([dial], [At(10)]);
        Assert.Equal((isCut ? 1 : 0, isCut ? 0 : 1), (report.Cut.Count, report.Failed.Count));
    }

    [Fact]
    public void A_dial_without_a_stream_is_never_excused()
    {
        var report = new DialReport([new DialRecord("a.b", At(9), null, At(11), "BrokerUnreachable: nobody")], [At(10)]);
        Assert.Single(report.Failed);
        Assert.Empty(report.Cut);
    }

    [Fact]
    public void Times_count_from_when_a_dial_was_due_and_of_answered_ones_only()
    {
        var answered = Enumerable.Range(1, 100).Select(i => new DialRecord("a.b", At(0), At(i), At(i), null));
        var report = new DialReport([.. answered, new DialRecord("a.b", At(0), null, At(200), "DeadlineExceeded: late")], []);
        Assert.Equal([50, 99, 100], new[] { 50, 99, 100 }.Select(percent => report.Latencies.Percentile(percent).TotalSeconds));
    }

    private static long At(double seconds) => (long)(seconds * Second);
}
