namespace Whip.Grains.Membership;

/// <summary>The rows of the silos as one of them has seen them, and the version of that view. A table is merged with them, only forward.</summary>
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

/// <summary>The rows to add to a table, those that take a later status, and the table's next version: above all that was read or seen.</summary>
internal sealed record Mending(IReadOnlyList<MembershipEntry> Added, IReadOnlyList<MembershipEntry> Raised, int Version);
