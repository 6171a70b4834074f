namespace Whip.Registry;

/// <summary>Whose streams a dial may go to.</summary>
internal enum ResolveScope
{
    /// <summary>Those of the whole cluster.</summary>
    Cluster,

    /// <summary>This broker's if it has one, else the cluster's: the dialer was sent here for it.</summary>
    OwnFirst,

    /// <summary>This broker's alone: another broker has forwarded the dial, which happens once.</summary>
    OwnOnly,
}
