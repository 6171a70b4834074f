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

    public bool Publishes(int port) => Streams.Exists(stream => stream.Publishes(port));

    /// <summary>Its newest stream that publishes the port and does not fail its check, in the zone if one is named.</summary>
    public StreamRoute? Serving(int port, string? zone) => Streams.Find(stream => stream.Serves(port) && (zone is null || stream.Zone == zone));

    /// <summary>What the newest stream says that publishes the port, if all of those fail its check; else null.</summary>
    public FailingInstance? Failing(int port) =>
        Serving(port, zone: null) is null && Streams.Find(stream => stream.Publishes(port)) is { } newest
            ? new FailingInstance(Name.FullName, newest.Failing[port])
            : null;
}
