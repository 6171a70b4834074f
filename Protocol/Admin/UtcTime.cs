using System.Globalization;

namespace Whip.Protocol.Admin;

/// <summary>A point in time as users are told it, by brokers and by <c>whip</c>: to the second, in UTC.</summary>
internal static class UtcTime
{
    public static string Text(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
