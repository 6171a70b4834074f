using Microsoft.Extensions.Logging;

namespace Whip.Hosting.Logging;

/// <summary>The names of log levels: in <c>--log-level</c> and JSON, and short in text.</summary>
internal static class LevelNames
{
    private static readonly string[] Names = ["trace", "debug", "info", "warn", "error", "fatal"];
    private static readonly string[] ShortNames = ["TRC", "DBG", "INF", "WRN", "ERR", "FTL"];

    public static LogLevel Parse(string name) => (LogLevel)Array.IndexOf(Names, name);

    public static string Name(LogLevel level) => Names[(int)level];

    public static string ShortName(LogLevel level) => ShortNames[(int)level];
}
