using Whip.Broker;

namespace Whip.Tests.Support;

/// <summary>The engine that cluster tests run on: in each set of packages the one that the other set does not test.</summary>
internal static class TestedEngine
{
    public const ClusterEngine Value = ClusterEngine.Orleans;

    public const string Name = "orleans";

    /// <summary>What whip-broker is told of it.</summary>
    public static IReadOnlyList<string> Flags { get; } = ["--cluster", "orleans", "--silo-listen", "127.0.0.1:0", "--gateway-listen", ""];
}
