using System.Globalization;
using Whip.Protocol.Admin;

namespace Whip.Cli.Admin;

/// <summary>A table of the agents' streams, with the broker that holds each.</summary>
internal static class StreamTable
{
    // Enough to distinguish agents; --json has the whole id.
    private const int ShownId = 12;

    public static void Write(IEnumerable<(string Broker, StreamStatus Stream)> streams, TextWriter output)
    {
        var table = new TextTable(
            "NAME", "BROKER", "PORTS", "AGENT", "GENERATION", "REMOTE", "ZONE", "SINCE", "RTT", "PONG", "PENDING", "RELAYS", "UNHEALTHY");
        foreach (var (broker, stream) in streams)
        {
            table.Add(
                stream.Name, broker, string.Join(',', stream.Ports), stream.AgentId.Length > ShownId ? stream.AgentId[..ShownId] : stream.AgentId,
                Text(stream.Generation), stream.Remote, stream.Zone,
                ShortTime.Seconds(stream.ConnectedSeconds), ShortTime.Milliseconds(stream.RoundTripMs), ShortTime.Seconds(stream.PongAgeSeconds),
                Text(stream.PendingDials), Text(stream.Relays), string.Join(", ", (stream.Failing ?? []).Select(Text)));
        }

        table.Write(output);
    }

    private static string Text(FailingPort failing) =>
        $"{failing.Port} since {UtcTime.Text(failing.Since)} ({failing.Check}: {failing.Reason})";

    private static string Text<T>(T number)
        where T : IFormattable => number.ToString(null, CultureInfo.InvariantCulture);
}
