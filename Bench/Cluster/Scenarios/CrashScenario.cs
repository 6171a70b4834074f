using System.Diagnostics;
using Whip.Bench.Cluster.Load;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>A broker is killed or frozen while agents with two homes are dialled.</summary>
internal sealed class CrashScenario(bool isFrozen) : IScenario
{
    private const int Agents = 100;
    private const double SuspectGoal = 5;
    private const double GoneGoal = 35;
    private const double SiloKilledGoal = 5;
    private const double SiloFrozenGoal = 20;

    private static readonly TimeSpan Before = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AfterThaw = TimeSpan.FromSeconds(5);

    // A lease is dropped when it is 30 s old: a shorter trouble is over before.
    private static readonly TimeSpan DropAfter = TimeSpan.FromSeconds(30);

    public async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await using var troubled = await TroubledCluster.StartAsync(context, context.Agents ?? Agents, homes: 2, cancellationToken);
        await Task.Delay(Before, cancellationToken);
        var victim = troubled.PickBroker();
        troubled.Crash(victim, isFrozen);
        var crashed = Stopwatch.GetTimestamp();
        var length = Task.Delay(context.Length, cancellationToken);
        var suspect = await SuspicionWatch.WhenSuspectAsync(troubled.Cluster, victim, crashed, cancellationToken);
        var noSilo = SuspicionWatch.WhenNoSiloAsync(troubled.Cluster, victim, crashed, cancellationToken);
        List<ScenarioFigure> figures = [new("suspect-everywhere", suspect.TotalSeconds, "ss", SuspectGoal), new("silo-dead-everywhere", (await noSilo).TotalSeconds, "s", isFrozen ? SiloFrozenGoal : SiloKilledGoal)];

        if (context.Length >= DropAfter)
        {
            var gone = await SuspicionWatch.WhenGoneAsync(troubled.Cluster, victim, crashed, cancellationToken);
            figures.Add(new("gone-everywhere", gone.TotalSeconds, "s", GoneGoal));
        }

        await length;
        if (isFrozen)
        {
            // It comes back with what it believed, and must do no harm.
            victim.Thaw();
            await Task.Delay(AfterThaw, cancellationToken);
        }

        return [.. await troubled.ReportAsync(slowest: isFrozen ? 3 : 1), .. figures];
    }
}
