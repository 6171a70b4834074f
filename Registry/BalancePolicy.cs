namespace Whip.Registry;

/// <summary>How a dial of a domain chooses among its instances.</summary>
public enum BalancePolicy
{
    /// <summary>All with the same probability.</summary>
    Random,

    /// <summary>Two are drawn at random, and the one with fewer relays is taken.</summary>
    LeastConnections,
}
