using System.Net;

namespace Whip.Agent.Homes;

/// <summary>Puts together where homes may be kept.</summary>
internal static class CandidateList
{
    /// <summary>The configured addresses first, then those of the cluster's brokers; <see cref="HomeChoice.MaxAddresses"/> in all.</summary>
    /// <param name="configured">Never dropped in favour of members, nor hidden by what members say is there.</param>
    /// <param name="members">Each with the claim of its member.</param>
    /// <param name="zones">Of every member by its broker id.</param>
    /// <param name="answered">The broker that answered at an address last.</param>
    public static List<Candidate> Build(
        IEnumerable<HomeAddress> configured,
        IEnumerable<HomeAddress> members,
        IReadOnlyDictionary<string, string> zones,
        IReadOnlyDictionary<IPEndPoint, string> answered)
    {
        var claims = members.DistinctBy(m => m.Address).ToDictionary(m => m.Address);
        var candidates = new Dictionary<IPEndPoint, Candidate>();
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
    public static string Unknown(IPEndPoint address) => $"\n{address}";
}
