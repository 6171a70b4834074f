namespace Whip.Grains.Members;

/// <summary>The view of this broker's silo: the active silos with the ids of their brokers, and the ids of brokers whose silo is stopping.</summary>
internal sealed record SiloView(SiloAddress Self, long Version, IReadOnlyDictionary<SiloAddress, string> Silos, IReadOnlySet<string> Leaving)
{
    public static SiloView Of(SiloAddress self, ClusterMembershipSnapshot snapshot) => new(
        self,
        snapshot.Version.Value,
        snapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).ToDictionary(member => member.SiloAddress, member => member.Name),
        snapshot.Members.Values.Where(member => member.Status is SiloStatus.ShuttingDown or SiloStatus.Stopping).Select(member => member.Name).ToHashSet());

    public bool IsActive => Silos.ContainsKey(Self);
}
