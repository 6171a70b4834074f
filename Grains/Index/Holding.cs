namespace Whip.Grains.Index;

/// <summary>All that one silo holds of the client or the domain of one name.</summary>
[GenerateSerializer]
[Immutable]
[Alias("whip.holding")]
internal sealed record Holding
{
    [Id(0)]
    public required SiloAddress Silo { get; init; }

    /// <summary>Taken at the silo before it reads its table: the higher of two versions includes every change that the other one includes.</summary>
    [Id(1)]
    public required long Version { get; init; }

    /// <summary>False: it holds nothing.</summary>
    [Id(2)]
    public required bool IsHeld { get; init; }

    /// <summary>Of a client: its live control streams, newest first.</summary>
    [Id(3)]
    public IReadOnlyList<HeldStream> Streams { get; init; } = [];
}

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

    /// <summary>The ports whose check fails at the agent; null from a broker of an earlier version.</summary>
    [Id(5)]
    public int[]? FailingPorts { get; init; }
}

/// <summary>What one silo answers about a name, from the table of its broker.</summary>
[GenerateSerializer]
[Immutable]
[Alias("whip.located")]
internal sealed record Located
{
    /// <summary>As of <see cref="Holding.Version"/>.</summary>
    [Id(0)]
    public required long Version { get; init; }

    /// <summary>The live control streams of the instance of this name, newest first.</summary>
    [Id(1)]
    public required IReadOnlyList<HeldStream> Streams { get; init; }

    /// <summary>One of them publishes the port, whatever its check says.</summary>
    [Id(2)]
    public required bool Publishes { get; init; }

    /// <summary>It holds instances of the domain of this name.</summary>
    [Id(3)]
    public required bool IsDomain { get; init; }

    /// <summary>Instances of the domain that publish the port and do not fail its check.</summary>
    [Id(4)]
    public required int Instances { get; init; }

    /// <summary>Those of them in the zone asked for.</summary>
    [Id(5)]
    public required int InstancesInZone { get; init; }

    /// <summary>Relays to instances of the domain.</summary>
    [Id(6)]
    public required int Relays { get; init; }

    /// <summary>It holds instances of the name's own domain.</summary>
    [Id(7)]
    public required bool KnowsParent { get; init; }

    /// <summary>Instances of the domain that publish the port and fail its check.</summary>
    [Id(8)]
    public int FailingInstances { get; init; }

    /// <summary>The instance if it fails the check of the port, or the first few of the domain if all do; null from a broker of an earlier version.</summary>
    [Id(9)]
    public IReadOnlyList<LocatedFailure>? Failing { get; init; }
}

/// <summary>An instance that fails the check of the port.</summary>
[GenerateSerializer]
[Immutable]
[Alias("whip.located-failure")]
internal sealed record LocatedFailure
{
    [Id(0)]
    public required string Name { get; init; }

    [Id(1)]
    public required string Check { get; init; }

    [Id(2)]
    public required string Reason { get; init; }

    [Id(3)]
    public required DateTimeOffset Since { get; init; }
}
