using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Whip.Hosting.Logging;

/// <summary>The programs' logs: one line a record on standard error, text or JSON. A reader that does not keep up loses records, it stops nobody.</summary>
internal static class WhipLogging
{
    // Chatty at Information: a line or more for every request.
    private static readonly string[] Frameworks = ["Microsoft", "Orleans", "System", "Yarp"];

    /// <param name="level">As in <c>--log-level</c>.</param>
    /// <param name="format"><c>text</c> or <c>json</c>.</param>
    /// <param name="time">The clock of the records.</param>
    public static ILoggerFactory CreateFactory(string level, string format, TimeProvider time)
    {
        var least = LevelNames.Parse(level);
        return LoggerFactory.Create(builder =>
        {
            builder.SetMinimumLevel(least);
            foreach (var framework in Frameworks)
            {
                builder.AddFilter(framework, least <= LogLevel.Debug || least > LogLevel.Warning ? least : LogLevel.Warning);
            }

            builder.Services.AddSingleton<ConsoleFormatter>(format == "json" ? new JsonLogFormatter(time) : new TextLogFormatter(time));
            builder.AddConsole(options =>
            {
                options.FormatterName = format;
                options.LogToStandardErrorThreshold = LogLevel.Trace;
                options.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
            });
        });
    }
}
