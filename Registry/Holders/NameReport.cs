namespace Whip.Registry.Holders;

/// <summary>What one broker holds of a name, from its own table.</summary>
internal sealed record NameReport
{
    public static readonly NameReport Nothing = new();

    /// <summary>It holds a stream of an instance of this name.</summary>
    public bool IsInstance { get; init; }

    /// <summary>One of the streams of that instance publishes the port.</summary>
    public bool Publishes { get; init; }

    /// <summary>It holds instances of the domain of this name.</summary>
    public bool IsDomain { get; init; }

    /// <summary>The same, and they do not all fail its check.</summary>
    public bool Serves => Publishes && Failing.Count == 0;

    /// <summary>Instances of the domain that publish the port and do not fail its check.</summary>
    public int Instances { get; init; }

    /// <summary>Those of them in the zone asked for.</summary>
    public int InstancesInZone { get; init; }

    /// <summary>Instances of the domain that publish the port and fail its check.</summary>
    public int FailingInstances { get; init; }

    /// <summary>The instance of this name if it fails the check of the port; of a domain, the first few if all do.</summary>
    public IReadOnlyList<FailingInstance> Failing { get; init; } = [];

    /// <summary>Relays to instances of the domain.</summary>
    public int Relays { get; init; }

    /// <summary>It holds instances of the name's own domain, that is of the name without its first label.</summary>
    public bool KnowsParent { get; init; }
}

/// <summary>What one broker asks another. Port 0 asks only whether the name is held; instances of the zone, if any, are counted separately.</summary>
internal readonly record struct NameQuery(string Name, int Port, string Zone = "");
