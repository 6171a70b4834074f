namespace Whip.Bench.Cluster.Scenarios;

/// <summary>A broker is killed or frozen while agents with two homes are dialled.</summary>
internal sealed class CrashScenario(bool isFrozen) : IScenario
{
    private const int Agents = 100;

    private static readonly TimeSpan Before = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AfterThaw = TimeSpan.FromSeconds(5);

    public async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await using var troubled = await TroubledCluster.StartAsync(context, context.Agents ?? Agents, homes: 2, cancellationToken);
        await Task.Delay(Before, cancellationToken);
        var victim = troubled.PickBroker();
        troubled.Crash(victim, isFrozen);
        await Task.Delay(context.Length, cancellationToken);
        if (isFrozen)
        {
            // It comes back with what it believed, and must do no harm.
            victim.Thaw();
            await Task.Delay(AfterThaw, cancellationToken);
        }

        return await troubled.ReportAsync(slowest: isFrozen ? 3 : 1);
    }
}
