using Microsoft.Extensions.Logging;
using Whip.Grains.Silos;

namespace Whip.Tests.Grains;

/// <summary>What becomes of the records of Orleans.</summary>
public sealed class SiloLoggerFactoryTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly CapturedLogs _logs = new();
    private readonly SiloLoggerFactory _factory;

    public SiloLoggerFactoryTests() => _factory = new SiloLoggerFactory(_logs, _time);

    public void Dispose()
    {
        _factory.Dispose();
        _logs.Dispose();
    }

    [Fact]
    public void Errors_are_one_line_a_minute_without_a_stack_and_a_count_of_the_others()
    {
        var (network, database) = (_factory.CreateLogger("Orleans.Networking"), _factory.CreateLogger("Polly"));
        for (var i = 0; i < 5; i++)
        {
            Fail(network, "connection refused");
        }

        Fail(database, "away");
        _time.Advance(TimeSpan.FromMinutes(1));
        Fail(network, "connection reset");
        Assert.Equal(
            [
                "Orleans.Networking: it failed (connection refused)",
                "Polly: it failed (away)",
                "Orleans.Networking: 4 more failures in a minute; --log-level debug shows them",
                "Orleans.Networking: it failed (connection reset)",
            ],
            _logs.Records.Where(record => record.Level >= LogLevel.Information).Select(record => $"{record.Category}: {record.Message}"));
        Assert.DoesNotContain(_logs.Records, record => record.Level > LogLevel.Debug && record.Exception is not null);
    }

    [Fact]
    public void Everything_from_warnings_on_is_debug_with_its_stack()
    {
        var log = _factory.CreateLogger("Orleans");
        Fail(log, "why");
        log.Log(LogLevel.Warning, new InvalidOperationException("a"), "a warning");
        log.Log(LogLevel.Information, "an information");
        Assert.Equal(["it failed", "a warning"], _logs.Records.Where(record => record.Level == LogLevel.Debug).Select(record => record.Message));
        Assert.All(_logs.Records.Where(record => record.Level == LogLevel.Debug), record => Assert.NotNull(record.Exception));
    }

    private static void Fail(ILogger log, string cause) =>
        log.Log(LogLevel.Error, new InvalidOperationException("wrapped", new TimeoutException($"{cause}\n   at Somewhere()")), "it failed");
}
