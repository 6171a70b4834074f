namespace Whip.Grains.Index;

/// <summary>One live control stream as its client's grain tracks it.</summary>
[GenerateSerializer]
[Immutable]
[Alias("whip.held-stream")]
internal sealed record HeldStream
{
    [Id(0)]
    public required string StreamId { get; init; }

    /// <summary>Empty for an original agent.</summary>
    [Id(1)]
    public required string AgentId { get; init; }

    [Id(2)]
    public required ulong Generation { get; init; }

    [Id(3)]
    public required int[] Ports { get; init; }

    [Id(4)]
    public required string Zone { get; init; }
}
