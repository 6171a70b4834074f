namespace Whip.Broker;

/// <summary>How a broker finds the others of its cluster.</summary>
public enum ClusterEngine
{
    /// <summary>It is alone.</summary>
    Embedded,

    /// <summary>By rows in PostgreSQL; streams are found through Orleans grains.</summary>
    Orleans,
}
