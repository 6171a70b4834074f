using Whip.Broker;

namespace Whip.Tests.Support;

/// <summary>The engine that cluster tests run on: in each set of packages the one that the other set does not test.</summary>
internal static class TestedEngine
{
    public const ClusterEngine Value = ClusterEngine.Postgres;

    public const string Name = "postgres";

    /// <summary>What whip-broker is told of it.</summary>
    public static IReadOnlyList<string> Flags { get; } = ["--cluster", "postgres"];
}
