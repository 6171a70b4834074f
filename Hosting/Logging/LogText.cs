using System.Globalization;
using Whip.Protocol.Names;

namespace Whip.Hosting.Logging;

/// <summary>What both formats do to a record: one line each, printable, bounded.</summary>
internal static class LogText
{
    public static string Time(TimeProvider time) => time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    public static string Message(string message) => Printable.Clean(message, maxLength: 4096);

    public static string Exception(Exception exception)
    {
        var lines = exception.ToString().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return Printable.Clean(string.Join(" | ", lines), maxLength: 16384);
    }
}
