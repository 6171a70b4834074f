namespace Whip.Bench.Cluster.Scenarios;

/// <summary>Brings trouble over a cluster that is dialled all the time, and returns what that showed besides what became of the dials.</summary>
internal delegate Task<IReadOnlyList<ScenarioFigure>> Trouble(TroubledCluster troubled, CancellationToken cancellationToken);

/// <summary>Agents with two homes are dialled while <paramref name="trouble"/> happens: no dial may fail, and no silo be declared dead that was not away.</summary>
/// <param name="trouble">What happens.</param>
/// <param name="slowest">The longest a dial may take, in seconds; null for no such goal.</param>
/// <param name="furtherSilos">How many silos take the place of others, because they were away long enough.</param>
internal sealed class TroubleScenario(Trouble trouble, double? slowest = null, int furtherSilos = 0) : IScenario
{
    private const int Agents = 100;

    private static readonly TimeSpan Before = TimeSpan.FromSeconds(2);

    public async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await using var troubled = await TroubledCluster.StartAsync(context, context.Agents ?? Agents, homes: 2, cancellationToken);
        await Task.Delay(Before, cancellationToken);
        var figures = await trouble(troubled, cancellationToken);
        return [.. await troubled.ReportAsync(slowest), await ScenarioFigure.FurtherSilosAsync(troubled.Cluster, furtherSilos), .. figures];
    }
}
