using Whip.Harness.Cluster;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>One kind of trouble, and what it must not do to dials.</summary>
internal interface IScenario
{
    /// <summary>Starts a cluster of its own, troubles it and ends it.</summary>
    Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken);
}

/// <summary>What one run of a scenario is given.</summary>
/// <param name="Setup">How its cluster is made.</param>
/// <param name="Random">Makes every choice of the run, from the run's seed.</param>
/// <param name="Agents">How many, where the scenario has no number of its own; null for its default.</param>
/// <param name="Length">How long the trouble lasts, where that is not the scenario's own matter.</param>
/// <param name="Rate">Dials per second, where dials go on all the time.</param>
/// <param name="NoteAsync">Tells what no figure says, such as why a dial failed.</param>
internal sealed record ScenarioContext(ClusterSetup Setup, Random Random, int? Agents, TimeSpan Length, int Rate, Func<string, Task> NoteAsync);

/// <summary>What one run of a scenario showed. Less is better in all of them.</summary>
/// <param name="Name">What was counted or measured.</param>
/// <param name="Value">In <paramref name="Unit"/>.</param>
/// <param name="Unit">Such as <c>s</c>; empty for a number.</param>
/// <param name="Goal">The most it may be; null for what is only told.</param>
/// <param name="Parameters">What else the figure depends on.</param>
internal sealed record ScenarioFigure(string Name, double Value, string Unit, double? Goal = null, params (string Name, object Value)[] Parameters)
{
    /// <summary>Silos in the place of others: one more than were away long enough was declared dead falsely, one less never declared dead.</summary>
    public static async Task<ScenarioFigure> FurtherSilosAsync(LocalCluster cluster, int expected)
    {
        var further = await cluster.CountFurtherSilosAsync();
        return new ScenarioFigure("silos-judged-wrongly", Math.Abs(further - expected), "", 0, ("further", further));
    }
}
