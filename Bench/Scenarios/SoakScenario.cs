using Whip.Agent;

namespace Whip.Bench.Scenarios;

/// <summary>
/// Dials, crashes and agents that come and go, for long. Afterwards the first broker, which is never ended, holds what it held at the start, and its
/// memory has not grown over the second half.
/// </summary>
internal static class SoakScenario
{
    private const int TransientAgents = 5;
    private const int StepsPerCrash = 20;

    // By how many unused connections to each other brokers may differ.
    private const int SpareConnections = 32;

    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Down = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SettleTimeout = TimeSpan.FromSeconds(75);

    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, bool isSaturated, CancellationToken cancellationToken)
    {
        var setup = context.Setup with { BrokerFlags = ["--drain-timeout", "10s"] };
        await using var cluster = await ScenarioCluster.StartAsync(context with { Setup = setup }, homes: 2, cancellationToken);
        var kept = cluster.Brokers[0];
        await using (cluster.StartDials())
        {
            await Task.Delay(Quiet, cancellationToken);
        }

        await Task.Delay(Quiet, cancellationToken);
        var before = await ReadAsync(kept, cluster.Agents, cancellationToken);

        await using var saturation = isSaturated ? new BackgroundWork(SaturateAsync) : null;
        await using var dials = cluster.StartDials();
        var resident = await TroubleAsync(context, cluster, dials, cancellationToken);
        var report = await cluster.ReportAsync(dials);
        await (saturation?.StopAsync() ?? Task.CompletedTask);
        await cluster.Agents.WhenHomesAsync(cancellationToken);
        var after = before;
        await Polling.UntilAsync(IsBackAsync, SettleTimeout, Step, cancellationToken);
        (string, object)[] descriptors = [("before", before.Descriptors), ("after", after.Descriptors)];
        return
        [
            ScenarioCluster.Failed(report),
            new("dial-slowest", report.Latencies.Percentile(100).TotalSeconds, "s"),
            new("descriptors-left", after.Descriptors - before.Descriptors, "", SpareConnections, descriptors),
            new("pending-dials-left", after.PendingDials, "", 0),
            new("relays-left", after.Relays, "", 0),
            await cluster.FurtherSilosAsync(expected: 0),
            new("agent-buffers-left", after.AgentBuffers, "", 0),
            new("memory-growth", Growth(resident), "%", 5, ("half", resident.ElementAtOrDefault(resident.Count / 2)), ("end", resident.LastOrDefault())),
        ];

        async Task<bool> IsBackAsync()
        {
            after = await ReadAsync(kept, cluster.Agents, cancellationToken);
            return after.Descriptors <= before.Descriptors && after is { PendingDials: 0, Relays: 0, AgentBuffers: 0 };
        }
    }

    /// <summary>Keeps every core busy with a thread of normal priority.</summary>
    private static Task SaturateAsync(CancellationToken stop)
    {
        return Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ =>
            Task.Factory.StartNew(Spin, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        void Spin()
        {
            while (!stop.IsCancellationRequested)
            {
                Thread.SpinWait(1000);
            }
        }
    }

    private static async Task<Reading> ReadAsync(LocalBroker broker, LocalAgents agents, CancellationToken cancellationToken) => new(
        Directory.GetFiles($"/proc/{broker.Program.Id}/fd").Length,
        await broker.ReadMetricAsync("whip_broker_pending_dials", cancellationToken),
        await broker.ReadMetricAsync("whip_broker_relays", cancellationToken),
        agents.Registered.Sum(agent => agent.RentedBuffers + agent.PendingConnects));

    /// <summary>Returns the resident memory of the first broker after each step.</summary>
    private static async Task<List<long>> TroubleAsync(
        ScenarioContext context, ScenarioCluster cluster, OpenLoopDials dials, CancellationToken cancellationToken)
    {
        var resident = new List<long>();
        var transient = new Queue<WhipAgent>();
        var repair = Task.CompletedTask;
        for (var step = 1; step <= context.Length / Step; step++)
        {
            await Task.Delay(Step, cancellationToken);
            resident.Add(LinuxProcess.ResidentKib(cluster.Brokers[0].Program.Id));
            var agent = cluster.Agents.Create([.. cluster.Brokers.Select(broker => broker.Grpc)]);
            transient.Enqueue(agent);
            await agent.StartAsync(cancellationToken);
            if (transient.Count > TransientAgents)
            {
                await transient.Dequeue().DisposeAsync();
            }

            if (step % StepsPerCrash == 0)
            {
                await repair;
                repair = CrashAsync(cluster.Brokers[context.Random.Next(1, cluster.Brokers.Count)], context.Random.Next(3), dials, cancellationToken);
            }
        }

        await repair;
        await Task.WhenAll(transient.Select(agent => agent.DisposeAsync().AsTask()));
        return resident;
    }

    /// <summary>Freezes, kills or stops a broker, and brings it back.</summary>
    private static async Task CrashAsync(LocalBroker broker, int kind, OpenLoopDials dials, CancellationToken cancellationToken)
    {
        if (kind == 2)
        {
            await broker.StopAsync(cancellationToken);
        }
        else
        {
            broker.Crash(isFrozen: kind == 0);
            dials.MarkCrash();
            await Task.Delay(Down, cancellationToken);
        }

        if (kind == 0)
        {
            broker.Thaw();
        }
        else
        {
            await broker.StartAsync(cancellationToken);
        }
    }

    /// <summary>By how many per cent the mean of the fourth quarter exceeds that of the third.</summary>
    private static double Growth(List<long> resident)
    {
        var quarters = resident.Chunk(Math.Max(1, resident.Count / 4)).Select(quarter => quarter.Average()).ToArray();
        return quarters.Length < 4 ? 0 : ((quarters[3] / quarters[2]) - 1) * 100;
    }

    /// <summary>What a broker and the agents hold while nothing is dialled.</summary>
    private sealed record Reading(int Descriptors, double PendingDials, double Relays, int AgentBuffers);
}
