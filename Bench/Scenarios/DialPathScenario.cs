namespace Whip.Bench.Scenarios;

/// <summary>The time of a dial at the broker that holds the stream, at one that has to find the holder, and there again. One dial at a time.</summary>
internal static class DialPathScenario
{
    private const int Agents = 150;
    private const int WarmUps = 50;

    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(5);

    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await using var cluster = await ScenarioCluster.StartAsync(context, homes: 1, cancellationToken, agents: 0);
        var placed = new List<(string Name, LocalBroker Holder, LocalBroker Other)>();
        for (var i = 0; i < WarmUps + (context.Agents ?? Agents); i++)
        {
            var (holder, other) = cluster.PickBrokers();
            var agent = cluster.Agents.Create(holder.Grpc);
            await agent.StartAsync(cancellationToken);
            placed.Add((agent.Name, holder, other));
        }

        foreach (var (name, holder, _) in placed)
        {
            await using var warm = await cluster.Cluster.DialAsync(holder, name, cluster.Agents.Service.Port, cancellationToken);
        }

        // The three alternate, so that other load on the machine affects them alike.
        var (atHolder, first, again) = (new List<TimeSpan>(), new List<TimeSpan>(), new List<TimeSpan>());
        foreach (var (name, holder, other) in placed)
        {
            atHolder.Add(await DialAsync(holder, name));
            first.Add(await DialAsync(other, name));
            again.Add(await DialAsync(other, name));
        }

        return [.. Figures("dial-at-holder", atHolder), .. Figures("dial-elsewhere-first", first), .. Figures("dial-elsewhere-again", again)];

        async Task<TimeSpan> DialAsync(LocalBroker broker, string name)
        {
            var began = Stopwatch.GetTimestamp();

            // Ended, not reset: the connections between brokers and to the agent then serve the next dial.
            await using var leg = await cluster.Cluster.CreateDialer(broker, name, cluster.Agents.Service.Port).AskAsync(DialTimeout, cancellationToken);
            return Stopwatch.GetElapsedTime(began);
        }
    }

    private static ScenarioFigure[] Figures(string figure, List<TimeSpan> times)
    {
        var counted = times.Skip(WarmUps).Order().ToArray();
        return
        [
            new($"{figure}-p50", counted.Percentile(50).TotalMilliseconds, "ms", null, ("dials", counted.Length)),
            new($"{figure}-p99", counted.Percentile(99).TotalMilliseconds, "ms", null, ("dials", counted.Length)),
        ];
    }
}
