using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Whip.Agent.Homes;

/// <summary>
/// Chooses homes by rendezvous hash: every agent ranks the addresses in an order of its own, so a fleet spreads evenly, and an
/// address that comes or goes moves only the agents that had or get it.
/// </summary>
internal static class HomeChoice
{
    /// <summary>Addresses considered, best first: a name that resolves to more is cut here.</summary>
    public const int MaxAddresses = 256;

    /// <summary>The addresses to hold a stream to or to keep trying: up to <paramref name="homes"/> usable ones and the failing ones before them.</summary>
    public static List<IPEndPoint> Choose(
        string agentName, IEnumerable<IPEndPoint> addresses, int homes, Func<IPEndPoint, HomeCondition> conditionOf)
    {
        var ranked = addresses.OrderByDescending(a => Score(agentName, a)).Take(MaxAddresses).Select(a => (Address: a, Condition: conditionOf(a)))
            .Where(a => a.Condition != HomeCondition.Alias).ToList();
        var onlyResting = ranked.TrueForAll(a => a.Condition == HomeCondition.Resting);
        var chosen = new List<IPEndPoint>();
        var usable = 0;
        foreach (var (address, condition) in ranked)
        {
            if (usable == homes)
            {
                break;
            }

            if (condition != HomeCondition.Resting || onlyResting)
            {
                chosen.Add(address);
                usable += condition == HomeCondition.Failing ? 0 : 1;
            }
        }

        return chosen;
    }

    private static ulong Score(string agentName, IPEndPoint address) =>
        BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{agentName}\n{address}")));
}
