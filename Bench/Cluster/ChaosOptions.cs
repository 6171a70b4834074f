using Whip.Harness.Cluster;

namespace Whip.Bench.Cluster;

/// <summary>What <c>whip-bench chaos</c> and <c>whip-bench soak</c> were asked for.</summary>
/// <param name="Setup">How each cluster is made.</param>
/// <param name="Seed">Of the first run; each further one has the next number.</param>
/// <param name="Runs">How often each scenario is run.</param>
/// <param name="Agents">How many; null for the scenario's own number.</param>
/// <param name="Length">How long the trouble lasts.</param>
/// <param name="Rate">Dials per second.</param>
internal sealed record ChaosOptions(ClusterSetup Setup, int Seed, int Runs, int? Agents, TimeSpan Length, int Rate);
