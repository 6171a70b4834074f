namespace Whip.Grains.Membership;

/// <summary>The rows that one silo has seen, and the version of its view. Merging them into a table only moves it forward.</summary>
internal sealed record SeenSilos(IReadOnlyList<MembershipEntry> Rows, int Version)
{
    public static readonly SeenSilos None = new([], 0);

    /// <summary>What the merge changes in a table with these rows and this version; null for nothing.</summary>
    public Mending? MissingIn(IReadOnlyDictionary<SiloAddress, SiloStatus> table, int version)
    {
        var added = Rows.Where(row => !table.ContainsKey(row.SiloAddress)).ToList();
        var raised = Rows.Where(row => table.TryGetValue(row.SiloAddress, out var status) && status < row.Status).ToList();
        var isWhole = added.Count == 0 && raised.Count == 0 && version >= Version;
        return isWhole ? null : new Mending(added, raised, Math.Max(version, Version) + 1);
    }
}

/// <summary>The rows to add to a table, those that get a later status, and its next version, which is above every one that was read or seen.</summary>
internal sealed record Mending(IReadOnlyList<MembershipEntry> Added, IReadOnlyList<MembershipEntry> Raised, int Version);
