namespace Whip.Protocol.Preamble;

/// <summary>The connection a leg is for, or why that cannot be told.</summary>
internal readonly record struct PreambleResult(string? ConnectionId, string Problem)
{
    public static PreambleResult Bad(string problem) => new(null, problem);
}
