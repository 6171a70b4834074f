using Microsoft.Extensions.Logging;
using Whip.Grains.Silos;

namespace Whip.Tests.Grains;

/// <summary>What a broker without a silo logs.</summary>
public sealed class SiloProblemTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly CapturedLogs _logs = new();
    private readonly SiloProblem _problem;

    public SiloProblemTests() => _problem = new SiloProblem("b1", _logs.CreateLogger("grains"), _time);

    public void Dispose() => _logs.Dispose();

    [Fact]
    public void One_that_joins_and_waits_warns_only_when_that_takes_long()
    {
        for (var i = 0; i < 60; i++)
        {
            _problem.Waits("no answer");
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        var line = Assert.Single(_logs.Records);
        Assert.Equal((LogLevel.Information, "b1 joins the cluster and waits: no answer"), (line.Level, line.Message));
        _problem.Waits("no answer");
        Assert.Equal((LogLevel.Warning, "b1 has no silo: no answer; retrying"), (_logs.Records[^1].Level, _logs.Records[^1].Message));
    }

    [Fact]
    public void One_that_cannot_start_warns_at_once_and_every_minute()
    {
        _problem.Failed("no database");
        _problem.Failed("no database");
        Assert.Equal("no database", _problem.Text);
        _problem.Failed("no network");
        _time.Advance(TimeSpan.FromMinutes(1));
        _problem.Failed("no network");
        Assert.Equal(
            ["no database", "no network", "no network"],
            _logs.Records.Select(record =>
                record.Message.Replace("b1 has no silo: ", "", StringComparison.Ordinal).Replace("; retrying", "", StringComparison.Ordinal)));
        Assert.All(_logs.Records, record => Assert.Equal(LogLevel.Warning, record.Level));
    }
}
