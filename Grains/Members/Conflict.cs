namespace Whip.Grains.Members;

/// <summary>Two processes with one broker id or one address. The one whose silo became active first stays.</summary>
/// <param name="Fact">The property of <see cref="BrokerFacts"/> in which this broker has what the other one has too.</param>
/// <param name="Value">Its value.</param>
/// <param name="Problem">What the user has to change.</param>
internal sealed record Conflict(string Fact, string Value, string Problem)
{
    /// <returns>Null without a conflict.</returns>
    public static Conflict? Between(BrokerFacts self, BrokerFacts other, string clusterId)
    {
        if (self.Process == other.Process)
        {
            return null;
        }

        if (self.BrokerId == other.BrokerId)
        {
            var problem = $"the broker id {self.BrokerId} is in use in cluster {clusterId}, by {Describe(other)}; give every broker an id of its own";
            return new Conflict(nameof(self.BrokerId), self.BrokerId, problem);
        }

        var theirs = other.Addresses.Select(address => address.Text).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return self.Addresses.Where(address => theirs.Contains(address.Text)).Select(address => new Conflict(
            address.Fact, address.Text,
            $"{Describe(other)} of cluster {clusterId} has an external address of {Describe(self)}; give every broker addresses of its own")).FirstOrDefault();
    }

    /// <summary>Whether this process has to stop. Both processes decide by the same numbers.</summary>
    public static bool GivesWay(BrokerFacts self, BrokerFacts other) =>
        other.ActiveSince != self.ActiveSince ? other.ActiveSince < self.ActiveSince : other.Silo.CompareTo(self.Silo) < 0;

    private static string Describe(BrokerFacts facts) => Printable.Clean(facts.ToString());
}
