namespace Whip.Broker;

/// <summary>How a broker finds the others of its cluster.</summary>
public enum ClusterEngine
{
    /// <summary>It is alone.</summary>
    Embedded,

    /// <summary>It is a silo of an Orleans cluster, which is kept in PostgreSQL.</summary>
    Orleans,
}
