using Whip.Protocol.Names;

namespace Whip.Grains.Members;

/// <summary>One broker of the cluster at one moment. Immutable.</summary>
internal sealed record BrokerMember
{
    public required string Id { get; init; }

    /// <summary>Grows with every silo of the broker.</summary>
    public required int Incarnation { get; init; }

    public required HostPort ExternalGrpc { get; init; }

    public required HostPort ExternalTcp { get; init; }

    public required HostPort ExternalDial { get; init; }

    public required string Zone { get; init; }

    /// <summary>It is about to leave: nothing new belongs there.</summary>
    public required bool IsDraining { get; init; }

    /// <summary>It does not answer at the moment: to be tried last.</summary>
    public required bool IsSuspect { get; init; }

    /// <summary>It is a silo of the cluster, so that it can be asked.</summary>
    public required bool HasSilo { get; init; }

    public static BrokerMember Of(BrokerFacts facts, bool isSuspect, bool hasSilo) => new()
    {
        Id = facts.BrokerId,
        Incarnation = facts.Silo.Generation,
        ExternalGrpc = Parse(facts.ExternalGrpc),
        ExternalTcp = Parse(facts.ExternalTcp),
        ExternalDial = Parse(facts.ExternalDial),
        Zone = facts.Zone,
        IsDraining = facts.IsDraining,
        IsSuspect = isSuspect,
        HasSilo = hasSilo,
    };

    // What cannot be read is an address that is not known.
    private static HostPort Parse(string text)
    {
        _ = HostPort.TryParse(text, out var address);
        return address;
    }

    public override string ToString() => $"{Id}{(IsDraining ? " (draining)" : "")}{(IsSuspect ? " (suspect)" : "")}";
}
