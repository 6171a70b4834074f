using System.Text.Json.Nodes;

namespace Whip.Cli.Admin;

/// <summary>What came of asking one broker: its answer, as it came and as read, or one line that says what to try.</summary>
internal sealed record AdminAnswer<T>(string Admin, T? Value, JsonNode? Document, string? Problem)
    where T : class;
