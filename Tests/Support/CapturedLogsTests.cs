using Microsoft.Extensions.Logging;
using Xunit.Sdk;

namespace Whip.Tests.Support;

public sealed class CapturedLogsTests
{
    [Fact]
    public void An_error_the_test_did_not_declare_fails_it()
    {
        var logs = new CapturedLogs();
        logs.CreateLogger("x").LogWarning("fine");
        logs.Dispose();
        logs.CreateLogger("x").Log(LogLevel.Error, new EventId(1, "Broke"), "bad");
        Assert.Contains("Error x Broke: bad", Assert.ThrowsAny<XunitException>(logs.Dispose).Message);
        logs.Expect("Broke");
        logs.Dispose();
    }

    [Fact]
    public async Task Records_are_found_before_and_after_they_come()
    {
        using var logs = new CapturedLogs();
        var logger = logs.CreateLogger("x");
        logger.Log(LogLevel.Information, new EventId(1, "First"), "one");
        Assert.Equal("one", (await logs.WaitForAsync("First")).Message);
        var second = logs.WaitForAsync("Second");
        Assert.False(second.IsCompleted);
        logger.Log(LogLevel.Information, new EventId(2, "Second"), "two");
        Assert.Equal("two", (await second).Message);
    }
}
