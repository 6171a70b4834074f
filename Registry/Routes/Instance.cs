using Whip.Protocol.Names;

namespace Whip.Registry.Routes;

/// <summary>One registered instance in a <see cref="LocalRoutes"/>, guarded by its lock.</summary>
internal sealed class Instance(InstanceName name)
{
    public InstanceName Name { get; } = name;

    /// <summary>Newest first; never empty while the instance is in the table.</summary>
    public List<StreamRoute> Streams { get; } = [];

    /// <summary>Its place in its domain's list.</summary>
    public int Position { get; set; }

    /// <summary>Its newest stream that publishes the port, in the zone if one is named.</summary>
    public StreamRoute? Publishing(int port, string? zone) =>
        Streams.Find(stream => stream.Publishes(port) && (zone is null || stream.Zone == zone));
}
