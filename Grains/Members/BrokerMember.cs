namespace Whip.Grains.Members;

/// <summary>
/// One broker of the cluster at one moment. Its incarnation grows with every silo that it has. A broker that drains is about to leave; a suspect one
/// does not answer at the moment and is tried last; without a silo it cannot be asked.
/// </summary>
internal sealed record BrokerMember(
    string Id, int Incarnation, HostPort ExternalGrpc, HostPort ExternalTcp, HostPort ExternalDial, string Zone, bool IsDraining, bool IsSuspect, bool HasSilo)
{
    public static BrokerMember Of(BrokerFacts facts, bool isSuspect, bool hasSilo) => new(
        facts.BrokerId,
        facts.Silo.Generation,
        Parse(facts.ExternalGrpc),
        Parse(facts.ExternalTcp),
        Parse(facts.ExternalDial),
        facts.Zone,
        facts.IsDraining,
        isSuspect,
        hasSilo);

    // What cannot be read is an address that is not known.
    private static HostPort Parse(string text)
    {
        _ = HostPort.TryParse(text, out var address);
        return address;
    }

    public override string ToString() => $"{Id}{(IsDraining ? " (draining)" : "")}{(IsSuspect ? " (suspect)" : "")}";
}
