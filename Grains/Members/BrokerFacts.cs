namespace Whip.Grains.Members;

/// <summary>How a broker describes itself in every ping and every answer to one.</summary>
[GenerateSerializer]
[Immutable]
[Alias("whip.broker-facts")]
internal sealed record BrokerFacts
{
    /// <summary>Unique in the cluster, and the same after a restart.</summary>
    [Id(0)]
    public required string BrokerId { get; init; }

    /// <summary>Tells this process from any other, one of the same broker id included.</summary>
    [Id(1)]
    public required Guid Process { get; init; }

    [Id(2)]
    public SiloAddress Silo { get; init; } = SiloAddress.Zero;

    /// <summary>host:port for agents' control streams. No two brokers of a cluster share any address.</summary>
    [Id(3)]
    public string ExternalGrpc { get; init; } = "";

    /// <summary>host:port for agents' legs.</summary>
    [Id(4)]
    public string ExternalTcp { get; init; } = "";

    /// <summary>host:port of the dial front.</summary>
    [Id(5)]
    public string ExternalDial { get; init; } = "";

    [Id(6)]
    public string Zone { get; init; } = "";

    /// <summary>It is about to leave, and gets nothing new.</summary>
    [Id(7)]
    public bool IsDraining { get; init; }

    /// <summary>Grows with every copy that the process sends.</summary>
    [Id(8)]
    public long Sequence { get; init; }

    /// <summary>The version of the view in which it first saw its silo active; 0 while it has not.</summary>
    [Id(9)]
    public long ActiveSince { get; init; }

    /// <summary>The version of its silo's view of the cluster.</summary>
    [Id(10)]
    public long ViewVersion { get; init; }

    /// <summary>The silos that are active in that view.</summary>
    [Id(11)]
    public IReadOnlyList<SiloAddress> ActiveSilos { get; init; } = [];

    /// <summary>Of the broker and its silo, each with the property that has it; compared without regard to case.</summary>
    public IEnumerable<(string Fact, string Text)> Addresses => new[]
    {
        (nameof(ExternalGrpc), ExternalGrpc),
        (nameof(ExternalTcp), ExternalTcp),
        (nameof(ExternalDial), ExternalDial),
        (nameof(Silo), Silo.Endpoint.ToString()),
    }.Where(address => address.Item2.Length > 0);

    public override string ToString() =>
        $"{BrokerId} (grpc {ExternalGrpc}, tcp {ExternalTcp}, dial {ExternalDial}, silo {Silo.Endpoint}, incarnation {Silo.Generation})";
}
