namespace Whip.Grains.Members;

/// <summary>The silos of the cluster as this broker's own one sees them. Immutable.</summary>
/// <param name="Self">This broker's silo.</param>
/// <param name="Version">Grows with every change in the table.</param>
/// <param name="Silos">Those that are active, with the ids of their brokers.</param>
/// <param name="Leaving">The ids of brokers whose silo is stopping.</param>
internal sealed record SiloView(SiloAddress Self, long Version, IReadOnlyDictionary<SiloAddress, string> Silos, IReadOnlySet<string> Leaving)
{
    public static SiloView Of(SiloAddress self, ClusterMembershipSnapshot snapshot) => new(
        self,
        snapshot.Version.Value,
        snapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).ToDictionary(member => member.SiloAddress, member => member.Name),
        snapshot.Members.Values.Where(member => member.Status is SiloStatus.ShuttingDown or SiloStatus.Stopping).Select(member => member.Name).ToHashSet());

    public bool IsActive => Silos.ContainsKey(Self);
}
