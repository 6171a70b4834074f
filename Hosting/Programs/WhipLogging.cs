using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Whip.Hosting.Programs;

/// <summary>The programs' logs on standard error. A reader that does not keep up loses records; it does not block the program.</summary>
internal static class WhipLogging
{
    // They write a line or more for every request at Information.
    private static readonly string[] Frameworks = ["Microsoft", "Orleans", "System"];

    public static ILoggerFactory CreateFactory(string level, string format, TimeProvider time)
    {
        var least = (LogLevel)Array.IndexOf(LineFormatter.Levels, level);
        return LoggerFactory.Create(builder =>
        {
            builder.SetMinimumLevel(least);
            foreach (var framework in Frameworks)
            {
                builder.AddFilter(framework, least <= LogLevel.Debug || least > LogLevel.Warning ? least : LogLevel.Warning);
            }

            builder.Services.AddSingleton<ConsoleFormatter>(new LineFormatter(format, time));
            builder.AddConsole(options =>
            {
                options.FormatterName = format;
                options.LogToStandardErrorThreshold = LogLevel.Trace;
                options.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
            });
        });
    }
}
