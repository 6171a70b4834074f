using System.Net;

namespace Whip.Agent.Homes;

/// <summary>One address a home may be kept at, and what is known of it.</summary>
internal sealed record Candidate(HomeAddress Home)
{
    public IPEndPoint Address => Home.Address;

    /// <summary>Who answers there, as far as is known: addresses of one broker are one home.</summary>
    public required string Broker { get; init; }

    /// <summary>What is hashed: the id of a broker of the cluster, else the address, so that all agents have the same.</summary>
    public required string Key { get; init; }

    /// <summary>Empty when it is not known.</summary>
    public string Zone { get; init; } = "";

    /// <summary>It leads to this broker and no other; a balancer's address leads anywhere the next time.</summary>
    public bool IsDirect { get; init; }

    /// <summary>A home is there, whether its stream stands or not.</summary>
    public bool IsHeld { get; init; }

    /// <summary>Its last attempt failed or takes long, or it is back too short: it goes on being tried, and another stands in.</summary>
    public bool IsFailing { get; init; }

    /// <summary>Its broker asked to be left; it is taken only when no other will do.</summary>
    public bool IsResting { get; init; }

    /// <summary>The stream that stands there is about to end.</summary>
    public bool IsDraining { get; init; }

    /// <summary>Of the stream that stands there, 0 if none does; a broker keeps the stream with the highest.</summary>
    public ulong AttachedGeneration { get; init; }
}
