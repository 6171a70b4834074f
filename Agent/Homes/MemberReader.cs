using System.Buffers;
using System.Net;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;

namespace Whip.Agent.Homes;

/// <summary>Takes from a list of brokers what an agent can use; the rest of it, hostile or of a later version, is skipped.</summary>
internal static class MemberReader
{
    private const int MaxIdLength = 128;
    private const int MaxZoneLength = 64;

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c).Where(c => c != '/')]);

    /// <summary>At most <see cref="HomeChoice.MaxAddresses"/>, each broker once, in an order that all agents have; empty when none can be used.</summary>
    public static List<ClusterMember> Read(Members message)
    {
        var members = new Dictionary<string, ClusterMember>();
        if (IsId(message.ClusterId))
        {
            foreach (var member in message.Members_.OrderBy(m => m.BrokerId, StringComparer.Ordinal))
            {
                if (members.Count < HomeChoice.MaxAddresses && IsId(member.BrokerId) && IsAddress(member.Grpc, out var endpoint))
                {
                    var claim = new BrokerClaim(message.ClusterId, member.BrokerId);
                    members.TryAdd(member.BrokerId, new ClusterMember(claim, endpoint, Printable.Clean(member.Zone, MaxZoneLength)));
                }
            }
        }

        return [.. members.Values];
    }

    private static bool IsId(string text) => text.Length is > 0 and <= MaxIdLength && !text.AsSpan().ContainsAnyExcept(IdCharacters);

    /// <summary>An address of every interface would be the agent's own machine.</summary>
    private static bool IsAddress(string text, out HostPort endpoint) =>
        HostPort.TryParse(text, out endpoint)
        && !(IPAddress.TryParse(endpoint.Host, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)));
}

/// <summary>A broker that another broker has named.</summary>
internal sealed record ClusterMember(BrokerClaim Claim, HostPort Endpoint, string Zone)
{
    public override string ToString() => $"{Claim.BrokerId} at {Endpoint}";
}
