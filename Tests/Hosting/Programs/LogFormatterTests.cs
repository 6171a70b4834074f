using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Whip.Hosting.Programs;

namespace Whip.Tests.Hosting.Programs;

public sealed class LogFormatterTests
{
    private const string Hostile = "a\nb\u001b[31mé\0\u202e";
    private static readonly FakeTimeProvider Time = new(new DateTimeOffset(2026, 11, 23, 4, 0, 0, 7, TimeSpan.Zero));

    [Fact]
    public void Text_is_one_printable_line()
    {
        var line = Write(new LineFormatter(LineFormatter.Text, Time), LogLevel.Warning, Hostile, new InvalidOperationException(Hostile));
        Assert.Equal("2026-11-23T04:00:00.007Z WRN Whip.Broker name a?b?[31m??? | System.InvalidOperationException: a | b?[31m???\n", line);
    }

    [Fact]
    public void Json_is_one_printable_line_with_the_values()
    {
        var line = Write(new LineFormatter(LineFormatter.Json, Time), LogLevel.Critical, Hostile, new InvalidOperationException(Hostile));
        Assert.EndsWith("}\n", line);
        Assert.DoesNotContain(line[..^1], c => c is < ' ' or > '~');
        var record = JsonDocument.Parse(line).RootElement;
        Assert.Equal("2026-11-23T04:00:00.007Z", record.GetProperty("time").GetString());
        Assert.Equal("fatal", record.GetProperty("level").GetString());
        Assert.Equal("Whip.Broker", record.GetProperty("category").GetString());
        Assert.Equal("Named", record.GetProperty("event").GetString());
        Assert.Equal("name a?b?[31m???", record.GetProperty("message").GetString());
        Assert.Equal("a?b?[31m???", record.GetProperty("values").GetProperty("Name").GetString());
        Assert.Equal("System.InvalidOperationException: a | b?[31m???", record.GetProperty("exception").GetString());
    }

    [Fact]
    public void Long_text_is_cut() =>
        Assert.InRange(Write(new LineFormatter(LineFormatter.Text, Time), LogLevel.Information, new string('x', 100_000), null).Length, 4096, 4200);

    [Theory]
    [InlineData("info", "Whip.Broker", LogLevel.Information)]
    [InlineData("info", "Microsoft.AspNetCore.Server.Kestrel", LogLevel.Warning)]
    [InlineData("debug", "Microsoft.AspNetCore.Server.Kestrel", LogLevel.Debug)]
    [InlineData("trace", "Whip", LogLevel.Trace)]
    [InlineData("warn", "Microsoft.AspNetCore", LogLevel.Warning)]
    [InlineData("error", "Microsoft.AspNetCore", LogLevel.Error)]
    [InlineData("fatal", "Whip", LogLevel.Critical)]
    public void The_level_applies_and_frameworks_keep_quiet_unless_debugging(string level, string category, LogLevel least)
    {
        using var factory = WhipLogging.CreateFactory(level, "text", Time);
        var logger = factory.CreateLogger(category);
        Assert.True(logger.IsEnabled(least));
        Assert.True(least == LogLevel.Trace || !logger.IsEnabled(least - 1));
    }

    private static string Write(ConsoleFormatter formatter, LogLevel level, string name, Exception? exception)
    {
        using var writer = new StringWriter();
        var state = new[] { KeyValuePair.Create<string, object?>("Name", name), new("{OriginalFormat}", "name {Name}") };
        var entry = new LogEntry<IReadOnlyList<KeyValuePair<string, object?>>>(
            level, "Whip.Broker", new EventId(1, "Named"), state, exception, static (values, _) => $"name {values[0].Value}");
        formatter.Write(entry, null, writer);
        return writer.ToString();
    }
}
