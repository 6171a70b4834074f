namespace Whip.Bench.Scenarios;

/// <summary>Starts a cluster of its own, disturbs it, ends it, and returns what that showed.</summary>
internal delegate Task<IReadOnlyList<ScenarioFigure>> Scenario(ScenarioContext context, CancellationToken cancellationToken);

/// <summary>The input of one run of a scenario.</summary>
/// <param name="Setup">How its cluster is made.</param>
/// <param name="Agents">The number of agents; null for the scenario's default.</param>
/// <param name="Length">How long the trouble lasts, where it does not end by itself.</param>
/// <param name="Rate">Dials per second, where dials go on all the time.</param>
/// <param name="Random">Makes every choice of the run.</param>
/// <param name="NoteAsync">Reports what no figure says, such as why a dial failed.</param>
internal sealed record ScenarioContext(ClusterSetup Setup, int? Agents, TimeSpan Length, int Rate, Random Random, Func<string, Task> NoteAsync)
{
    /// <summary>Limits of open files that programs are started with, one after the other.</summary>
    public IReadOnlyList<int> OpenFiles { get; init; } = [];
}

/// <summary>One result of a run. Less is better in all of them.</summary>
/// <param name="Name">What was counted or measured.</param>
/// <param name="Value">In <paramref name="Unit"/>.</param>
/// <param name="Unit">Such as <c>s</c>; empty for a number.</param>
/// <param name="Goal">The highest value allowed; null if there is no goal.</param>
/// <param name="Parameters">What else the figure depends on.</param>
internal sealed record ScenarioFigure(string Name, double Value, string Unit, double? Goal = null, params (string Name, object Value)[] Parameters);
