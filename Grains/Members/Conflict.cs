using Whip.Protocol.Names;

namespace Whip.Grains.Members;

/// <summary>Two processes that are one broker, or that share an address. The one whose silo has been active for longer stays.</summary>
internal static class Conflict
{
    /// <summary>What a user has to change; null when both can be in one cluster.</summary>
    public static string? Between(BrokerFacts self, BrokerFacts other, string clusterId) =>
        self.Process == other.Process ? null
        : self.BrokerId == other.BrokerId
            ? $"the broker id {self.BrokerId} is in use in cluster {clusterId}, by {Describe(other)}; give every broker an id of its own"
        : self.Addresses.Intersect(other.Addresses, StringComparer.OrdinalIgnoreCase).Any()
            ? $"{Describe(other)} of cluster {clusterId} has an external address of {Describe(self)}; give every broker addresses of its own"
        : null;

    /// <summary>Whether this process leaves the place to the other one. Both decide by the same numbers.</summary>
    public static bool GivesWay(BrokerFacts self, BrokerFacts other) =>
        other.ActiveSince != self.ActiveSince ? other.ActiveSince < self.ActiveSince : other.Silo.CompareTo(self.Silo) < 0;

    private static string Describe(BrokerFacts facts) => Printable.Clean(facts.ToString());
}
