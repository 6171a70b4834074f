using Whip.Harness.Cluster;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>What one run of a scenario is given.</summary>
/// <param name="Setup">How its cluster is made.</param>
/// <param name="Random">Makes every choice of the run, from the run's seed.</param>
/// <param name="Agents">How many, where the scenario has no number of its own; null for its default.</param>
/// <param name="Length">How long the trouble lasts, where that is not the scenario's own matter.</param>
/// <param name="Rate">Dials per second, where dials go on all the time.</param>
/// <param name="NoteAsync">Tells what no figure says, such as why a dial failed.</param>
internal sealed record ScenarioContext(ClusterSetup Setup, Random Random, int? Agents, TimeSpan Length, int Rate, Func<string, Task> NoteAsync);
