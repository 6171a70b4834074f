using Whip.Protocol.Names;

namespace Whip.Registry;

/// <summary>What a dial asks the registry. The streams that it has tried and, in a domain, their instances are not chosen again.</summary>
internal readonly record struct ResolveRequest(DialTarget Target, IReadOnlyCollection<StreamRoute> Tried)
{
    /// <summary>Ids of other brokers that this dial has tried; they are not chosen again.</summary>
    public IReadOnlyCollection<string> TriedBrokers { get; init; } = [];

    public ResolveScope Scope { get; init; }

    /// <summary>In a domain, instances of this zone are chosen as long as there are some; empty for no preference.</summary>
    public string Zone { get; init; } = "";

    /// <summary>Remembered answers are not used, because they have failed, or the dial waits for a registration.</summary>
    public bool IsFresh { get; init; }
}

/// <summary>Whose streams a dial may go to.</summary>
internal enum ResolveScope
{
    /// <summary>Those of the whole cluster.</summary>
    Cluster,

    /// <summary>Those of this broker if there are any, otherwise those of the cluster: the dialer was redirected here.</summary>
    OwnFirst,

    /// <summary>Only those of this broker: another one has forwarded the dial, which happens once.</summary>
    OwnOnly,
}
