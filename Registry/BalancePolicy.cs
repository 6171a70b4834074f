namespace Whip.Registry;

/// <summary>How a dial of a domain chooses among its instances.</summary>
public enum BalancePolicy
{
    /// <summary>Each with the same probability.</summary>
    Random,

    /// <summary>Two drawn at random, and of them the one with fewer relays.</summary>
    LeastConnections,
}
