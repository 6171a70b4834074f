using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Whip.Agent.Homes;

/// <summary>
/// Chooses homes by rendezvous hash: every agent ranks the brokers in an order of its own, so a fleet spreads evenly, and a
/// broker that comes or goes moves only the agents that had or get it.
/// </summary>
internal static class HomeChoice
{
    /// <summary>Addresses considered, configured ones first: what is more than that is cut.</summary>
    public const int MaxAddresses = 256;

    /// <summary>The addresses to hold a stream to or to keep trying: up to <paramref name="homes"/> usable ones and the failing ones before them.</summary>
    public static List<Candidate> Choose(string agentName, IEnumerable<Candidate> candidates, int homes)
    {
        var ranked = Rank(agentName, candidates).ToLookup(c => c.IsResting);
        var chosen = Pick(ranked[false], homes);
        if (chosen.Exists(c => !c.IsFailing))
        {
            return chosen;
        }

        // Of those that rest, one that drains now is the last resort.
        var resting = ranked[true].Where(c => !c.IsDraining).ToList();
        return [.. chosen, .. Pick(resting.Count > 0 ? resting : ranked[true], homes)];
    }

    /// <summary>Best first, one address of each broker; the others of a broker follow at the end, and only if that one fails.</summary>
    private static List<Candidate> Rank(string agentName, IEnumerable<Candidate> candidates)
    {
        var brokers = candidates.GroupBy(c => c.Broker)
            .Select(b => b.OrderByDescending(c => c.AttachedGeneration).ThenByDescending(c => c.IsHeld).ThenByDescending(c => c.IsDirect)
                .ThenByDescending(c => Score(agentName, c)).ToList())
            .OrderByDescending(b => Score(agentName, b[0])).ToList();
        var others = brokers.Where(b => b[0] is { IsFailing: true, AttachedGeneration: 0 }).SelectMany(b => b.Skip(1));
        return [.. brokers.Select(b => b[0]), .. others];
    }

    /// <summary>In order, but a zone that has none yet comes first. A failing address has its zone too, or a zone that is down would be tried whole.</summary>
    private static List<Candidate> Pick(IEnumerable<Candidate> ranked, int homes)
    {
        var left = ranked.ToList();
        var chosen = new List<Candidate>();
        var zones = new HashSet<string>();
        for (var usable = 0; usable < homes && left.Count > 0;)
        {
            var next = zones.Count == 0 ? 0 : Math.Max(0, left.FindIndex(c => c.Zone.Length > 0 && !zones.Contains(c.Zone)));
            var candidate = left[next];
            left.RemoveAt(next);
            chosen.Add(candidate);
            usable += candidate.IsFailing ? 0 : 1;
            if (candidate.Zone.Length > 0)
            {
                zones.Add(candidate.Zone);
            }
        }

        return chosen;
    }

    private static ulong Score(string agentName, Candidate candidate) =>
        BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{agentName}\n{candidate.Key}")));
}
