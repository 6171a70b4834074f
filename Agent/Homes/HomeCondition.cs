namespace Whip.Agent.Homes;

/// <summary>What is known of an address when homes are chosen.</summary>
internal enum HomeCondition
{
    /// <summary>Nothing speaks against it.</summary>
    Usable,

    /// <summary>Its last attempts failed: it goes on being tried, and the next address stands in.</summary>
    Failing,

    /// <summary>Its broker asked to be left; it is taken only when no other address is known.</summary>
    Resting,

    /// <summary>It leads to a broker that another attached address leads to.</summary>
    Alias,
}
