namespace Whip.Grains.Index;

/// <summary>Whether one silo holds instances of one domain.</summary>
[GenerateSerializer]
[Immutable]
[Alias("whip.domain-holding")]
internal sealed record DomainHolding : IHolding
{
    [Id(0)]
    public required SiloAddress Silo { get; init; }

    [Id(1)]
    public required string BrokerId { get; init; }

    [Id(2)]
    public required long Version { get; init; }

    [Id(3)]
    public required bool IsHeld { get; init; }
}
