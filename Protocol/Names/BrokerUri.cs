namespace Whip.Protocol.Names;

/// <summary>The URI by which a leaf says that it is one broker of one cluster.</summary>
internal static class BrokerUri
{
    public static string Format(string clusterId, string brokerId) => $"whip://{clusterId}/broker/{brokerId}";

    /// <summary>What every broker's URI of the cluster begins with.</summary>
    public static string Prefix(string clusterId) => Format(clusterId, "");
}
