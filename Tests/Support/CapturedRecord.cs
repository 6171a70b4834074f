using Microsoft.Extensions.Logging;

namespace Whip.Tests.Support;

internal sealed record CapturedRecord(LogLevel Level, string Category, EventId Event, string Message, Exception? Exception)
{
    public override string ToString() => $"{Level} {Category} {Event.Name}: {Message}{(Exception is null ? "" : $"\n{Exception}")}";
}
