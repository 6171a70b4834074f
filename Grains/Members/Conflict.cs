namespace Whip.Grains.Members;

/// <summary>Two processes with one broker id or one address. The one whose silo became active first stays.</summary>
internal static class Conflict
{
    /// <returns>What the user has to change; null without a conflict.</returns>
    public static string? Between(BrokerFacts self, BrokerFacts other, string clusterId) =>
        self.Process == other.Process ? null
        : self.BrokerId == other.BrokerId
            ? $"the broker id {self.BrokerId} is in use in cluster {clusterId}, by {Describe(other)}; give every broker an id of its own"
        : self.Addresses.Intersect(other.Addresses, StringComparer.OrdinalIgnoreCase).Any()
            ? $"{Describe(other)} of cluster {clusterId} has an external address of {Describe(self)}; give every broker addresses of its own"
        : null;

    /// <summary>Whether this process has to stop. Both processes decide by the same numbers.</summary>
    public static bool GivesWay(BrokerFacts self, BrokerFacts other) =>
        other.ActiveSince != self.ActiveSince ? other.ActiveSince < self.ActiveSince : other.Silo.CompareTo(self.Silo) < 0;

    private static string Describe(BrokerFacts facts) => Printable.Clean(facts.ToString());
}
