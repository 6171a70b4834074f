using Whip.Protocol.Names;

namespace Whip.Agent.Homes;

/// <summary>Puts together where homes may be kept.</summary>
internal static class CandidateList
{
    /// <summary>The configured addresses first, then those of the cluster's brokers; <see cref="HomeChoice.MaxAddresses"/> in all.</summary>
    /// <param name="configured">Never dropped in favour of members, nor replaced by what members claim.</param>
    /// <param name="members">Each with the claim of its member.</param>
    /// <param name="zones">Of every member by its broker id.</param>
    /// <param name="answered">The broker that answered at an address last.</param>
    public static List<Candidate> Build(
        IEnumerable<HomeAddress> configured,
        IEnumerable<HomeAddress> members,
        IReadOnlyDictionary<string, string> zones,
        IReadOnlyDictionary<HostPort, string> answered)
    {
        var claims = members.DistinctBy(m => m.Address).ToDictionary(m => m.Address);
        var candidates = new Dictionary<HostPort, Candidate>();
        foreach (var home in configured.Concat(claims.Values))
        {
            if (candidates.Count < HomeChoice.MaxAddresses)
            {
                var claimed = claims.GetValueOrDefault(home.Address)?.Claim?.BrokerId;
                var broker = home.Claim?.BrokerId ?? answered.GetValueOrDefault(home.Address) ?? Unknown(home.Address);
                var key = zones.ContainsKey(broker) ? broker : claimed ?? home.Address.ToString();
                var zone = zones.GetValueOrDefault(key, "");
                candidates.TryAdd(home.Address, new Candidate(home) { Broker = broker, Key = key, Zone = zone, IsDirect = claimed == broker });
            }
        }

        return [.. candidates.Values];
    }

    /// <summary>Stands for the broker at an address as long as nobody has answered there; no broker's id has a line break.</summary>
    public static string Unknown(HostPort address) => $"\n{address}";
}

/// <summary>One address a home may be kept at, and what is known of it.</summary>
internal sealed record Candidate(HomeAddress Home)
{
    public HostPort Address => Home.Address;

    /// <summary>Who answers there, as far as is known: addresses of one broker are one home.</summary>
    public required string Broker { get; init; }

    /// <summary>What is hashed: the id of a broker of the cluster, else the address, so that all agents have the same.</summary>
    public required string Key { get; init; }

    /// <summary>Empty when it is not known.</summary>
    public string Zone { get; init; } = "";

    /// <summary>It leads to this broker and no other; a load balancer's address may lead elsewhere the next time.</summary>
    public bool IsDirect { get; init; }

    /// <summary>A home exists at it, whether its stream is attached or not.</summary>
    public bool IsHeld { get; init; }

    /// <summary>Its last attempt failed or takes long, or it came back too recently: it is still retried, and another stands in.</summary>
    public bool IsFailing { get; init; }

    /// <summary>Its broker asked agents to leave; it is used only when no other is available.</summary>
    public bool IsResting { get; init; }

    /// <summary>The stream attached there is about to end.</summary>
    public bool IsDraining { get; init; }

    /// <summary>Of the stream attached there, 0 without one; a broker keeps the stream with the highest.</summary>
    public ulong AttachedGeneration { get; init; }
}
