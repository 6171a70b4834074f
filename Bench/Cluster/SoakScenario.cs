using Whip.Agent;
using Whip.Bench.Cluster.Load;
using Whip.Bench.Cluster.Scenarios;
using Whip.Harness.Cluster;
using Whip.Harness.Programs;

namespace Whip.Bench.Cluster;

/// <summary>
/// Dials, crashes and agents that come and go, for long: what is held at the first broker, which is never ended, is back at its start when all is
/// quiet again, and its memory does not grow over the second half.
/// </summary>
internal sealed class SoakScenario(bool isSaturated) : IScenario
{
    private const int Agents = 100;
    private const int RestlessAgents = 5;
    private const int BeatsPerCrash = 20;
    private const int BeatsDown = 5;

    // The most unused connections that brokers keep to each other may differ by.
    private const int SpareConnections = 32;

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan QuietPatience = TimeSpan.FromSeconds(75);
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    public async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await using var cluster = await LocalCluster.StartAsync(context.Setup with { BrokerFlags = ["--drain-timeout", "10s"] }, cancellationToken);
        await using var agents = new LocalAgents(cluster, homes: 2);
        await agents.AddAsync(context.Agents ?? Agents, cancellationToken);
        var kept = cluster.Brokers[0];
        await using (StartDials())
        {
            await Task.Delay(Quiet, cancellationToken);
        }

        await Task.Delay(Quiet, cancellationToken);
        var before = await SoakReading.TakeAsync(kept, agents, cancellationToken);

        using var saturation = isSaturated ? new Saturation() : null;
        var resident = new List<long>();
        await using var dials = StartDials();
        await TroubleAsync(context, cluster, agents, dials, () => resident.Add(LinuxProcess.ResidentKib(kept.Program.Id)), cancellationToken);
        var report = await dials.StopAsync();
        foreach (var failed in report.Failed.Take(10))
        {
            await context.NoteAsync($"dial of {failed.Name} failed: {failed.Failure}");
        }

        saturation?.Dispose();
        await agents.AwaitHomesAsync(cancellationToken);
        var after = await SoakReading.SettledAsync(before, kept, agents, QuietPatience, cancellationToken);
        return
        [
            new("dials-failed", report.Failed.Count, "", 0, ("dials", report.Count), ("cut", report.Cut.Count)),
            new("dial-slowest", report.Slowest.TotalSeconds, "s"),
            new("descriptors-left", after.Descriptors - before.Descriptors, "", SpareConnections, ("before", before.Descriptors), ("after", after.Descriptors)),
            new("pending-dials-left", after.PendingDials, "", 0),
            new("relays-left", after.Relays, "", 0),
            await ScenarioFigure.FurtherSilosAsync(cluster, expected: 0),
            new("agent-buffers-left", after.AgentBuffers, "", 0),
            new("memory-growth", Growth(resident), "%", 5, ("half", resident.ElementAtOrDefault(resident.Count / 2)), ("end", resident.LastOrDefault())),
        ];

        OpenLoopDials StartDials()
        {
            var random = new Random(context.Random.Next());
            var started = new OpenLoopDials(cluster.CreateDialer(random), context.Rate, () => agents.Pick(random), agents.Service.Port);
            started.Start();
            return started;
        }
    }

    private static async Task TroubleAsync(
        ScenarioContext context, LocalCluster cluster, LocalAgents agents, OpenLoopDials dials, Action read, CancellationToken cancellationToken)
    {
        var restless = new Queue<WhipAgent>();
        Task? repair = null;
        for (var beat = 1; beat <= context.Length / Beat; beat++)
        {
            await Task.Delay(Beat, cancellationToken);
            read();
            restless.Enqueue(agents.Create([.. cluster.Brokers.Select(b => b.Grpc)]));
            await restless.Last().StartAsync(cancellationToken);
            if (restless.Count > RestlessAgents)
            {
                await restless.Dequeue().DisposeAsync();
            }

            if (beat % BeatsPerCrash == 0)
            {
                await (repair ?? Task.CompletedTask);
                repair = CrashAsync(cluster.Brokers[context.Random.Next(1, cluster.Brokers.Count)], context.Random.Next(3), dials, cancellationToken);
            }
        }

        await (repair ?? Task.CompletedTask);
        foreach (var agent in restless)
        {
            await agent.DisposeAsync();
        }
    }

    /// <summary>Kills, freezes or stops a broker, and brings it back.</summary>
    private static async Task CrashAsync(LocalBroker broker, int how, OpenLoopDials dials, CancellationToken cancellationToken)
    {
        if (how == 0)
        {
            broker.Freeze();
            dials.MarkCrash();
            await Task.Delay(BeatsDown * Beat, cancellationToken);
            broker.Thaw();
            return;
        }

        if (how == 1)
        {
            broker.Kill();
            dials.MarkCrash();
            await Task.Delay(BeatsDown * Beat, cancellationToken);
        }
        else
        {
            await broker.StopAsync(cancellationToken);
        }

        await broker.StartAsync(cancellationToken);
    }

    /// <summary>By how many per cent the fourth quarter's mean exceeds the third's.</summary>
    private static double Growth(List<long> resident)
    {
        var quarter = resident.Count / 4;
        if (quarter == 0)
        {
            return 0;
        }

        var (third, fourth) = (resident.Skip(2 * quarter).Take(quarter).Average(), resident.Skip(3 * quarter).Take(quarter).Average());
        return (fourth - third) / third * 100;
    }
}
