namespace Whip.Bench.Cluster.Scenarios;

/// <summary>One kind of trouble, and what it must not do to dials.</summary>
internal interface IScenario
{
    /// <summary>Starts a cluster of its own, troubles it and ends it.</summary>
    Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken);
}
