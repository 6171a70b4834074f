using System.Net;
using Whip.Protocol.Names;

namespace Whip.Agent.Homes;

/// <summary>What the agent is ready to look up or connect to: an address or a DNS name.</summary>
internal static class HostName
{
    public static bool IsValid(string host) => IPAddress.TryParse(host, out _) || DnsName.TryNormalize(host, out _);

    public static bool AreEqual(string a, string b) => MemoryExtensions.Equals(Bare(a), Bare(b), StringComparison.OrdinalIgnoreCase);

    private static ReadOnlySpan<char> Bare(string host) => host.EndsWith('.') ? host.AsSpan(0, host.Length - 1) : host;
}
