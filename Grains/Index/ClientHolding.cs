namespace Whip.Grains.Index;

/// <summary>The live control streams of one client at one silo.</summary>
[GenerateSerializer]
[Immutable]
[Alias("whip.client-holding")]
internal sealed record ClientHolding : IHolding
{
    [Id(0)]
    public required SiloAddress Silo { get; init; }

    [Id(1)]
    public required string BrokerId { get; init; }

    [Id(2)]
    public required long Version { get; init; }

    /// <summary>Newest first.</summary>
    [Id(3)]
    public required IReadOnlyList<HeldStream> Streams { get; init; }

    public bool IsHeld => Streams.Count > 0;
}
