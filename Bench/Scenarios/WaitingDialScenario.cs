namespace Whip.Bench.Scenarios;

/// <summary>A dial waits at one broker for an agent that then registers at another.</summary>
internal static class WaitingDialScenario
{
    private const int WarmUps = 5;
    private const int Dials = 20;

    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);

    // By then the dial waits everywhere.
    private static readonly TimeSpan Before = TimeSpan.FromMilliseconds(700);

    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await using var cluster = await ScenarioCluster.StartAsync(context, homes: 1, cancellationToken, agents: 0);
        var times = new List<TimeSpan>();
        var failed = 0;
        for (var i = 0; i < WarmUps + Dials; i++)
        {
            try
            {
                times.Add(await DialAsync(cluster, cancellationToken));
            }
            catch (DialFailedException failure)
            {
                await context.NoteAsync($"dial {i} failed: {failure.Message}");
                failed++;
            }
        }

        var counted = times.Skip(WarmUps).Order().ToArray();
        return
        [
            new("waiting-dials-failed", failed, "", 0, ("dials", WarmUps + Dials)),
            new("waiting-dial-slowest", counted.Percentile(100).TotalMilliseconds, "ms", 200),
            new("waiting-dial-p50", counted.Percentile(50).TotalMilliseconds, "ms"),
        ];
    }

    /// <summary>The time from when the agent knows that it is registered until the dial is connected.</summary>
    private static async Task<TimeSpan> DialAsync(ScenarioCluster cluster, CancellationToken cancellationToken)
    {
        var (ingress, home) = cluster.PickBrokers();
        await using var agent = cluster.Agents.Create(home.Grpc);
        var dialing = WhenConnectedAsync();
        await Task.Delay(Before, cancellationToken);
        await agent.StartAsync(cancellationToken);
        await Polling.UntilAsync(() => agent.IsReady || dialing.IsCompleted, Wait, TimeSpan.FromMilliseconds(1), cancellationToken);
        var registered = Stopwatch.GetTimestamp();
        var connected = await dialing;
        return connected > registered ? Stopwatch.GetElapsedTime(registered, connected) : TimeSpan.Zero;

        async Task<long> WhenConnectedAsync()
        {
            var leg = await cluster.Cluster.CreateDialer(ingress, agent.Name, cluster.Agents.Service.Port, Wait).DialAsync(Wait, cancellationToken);
            var now = Stopwatch.GetTimestamp();
            leg.Abort();
            return now;
        }
    }
}
