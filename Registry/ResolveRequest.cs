using Whip.Protocol.Names;

namespace Whip.Registry;

/// <summary>What a dial asks the registry.</summary>
/// <param name="Target">The dialled instance or domain, and the port.</param>
/// <param name="Tried">Streams that this dial has tried; they and, in a domain, their instances are not offered again.</param>
internal readonly record struct ResolveRequest(DialTarget Target, IReadOnlyCollection<StreamRoute> Tried)
{
    /// <summary>Ids of other brokers that this dial has tried; they are not offered again.</summary>
    public IReadOnlyCollection<string> TriedBrokers { get; init; } = [];

    public ResolveScope Scope { get; init; }

    /// <summary>In a domain, instances of this zone are chosen as long as there are some; empty for no preference.</summary>
    public string Zone { get; init; } = "";

    /// <summary>Nothing remembered may answer: what the dial knew has failed, or it waits for what is not there yet.</summary>
    public bool IsFresh { get; init; }
}

/// <summary>Whose streams a dial may go to.</summary>
internal enum ResolveScope
{
    /// <summary>Those of the whole cluster.</summary>
    Cluster,

    /// <summary>This broker's if it has one, else the cluster's: the dialer was sent here for it.</summary>
    OwnFirst,

    /// <summary>This broker's alone: another broker has forwarded the dial, which happens once.</summary>
    OwnOnly,
}
