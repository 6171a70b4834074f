namespace Whip.Bench.Cluster;

/// <summary>How a <see cref="LocalCluster"/> is made.</summary>
/// <param name="ProgramFolder">Where whip-broker and whip are.</param>
/// <param name="Tls">Mutual TLS, or plain.</param>
internal sealed record ClusterSetup(string ProgramFolder, bool Tls)
{
    public int Brokers { get; init; } = 3;

    /// <summary>Where the brokers' whole logs go; null for nowhere.</summary>
    public string? LogFolder { get; init; }

    /// <summary>What the brokers see besides this process' own variables.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Further flags of every broker.</summary>
    public IReadOnlyList<string> BrokerFlags { get; init; } = [];
}
