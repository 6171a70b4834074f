using Whip.Client;
using Whip.Protocol.Dialing;

namespace Whip.Bench.Scenarios;

/// <summary>
/// Two services of a domain stop while it is dialled, and return. Their agents check them as they do by default: no dial fails, and every broker leaves
/// them out, and takes them back, in time.
/// </summary>
internal static class StoppedServicesScenario
{
    private const int DefaultAgents = 6;
    private const int Port = 80;

    // Less than a dial has attempts, so that none need fail before the checks do.
    private const int Stopped = 2;

    // Two intervals of 5 s until the second check in a row, a second until the brokers are told, one for which they believe each other, and one for the load.
    private const double Goal = 13;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await using var cluster = await ScenarioCluster.StartAsync(context, homes: 2, cancellationToken, agents: 0);
        var services = Enumerable.Range(0, Math.Max(context.Agents ?? DefaultAgents, Stopped + 1)).Select(_ => new CheckingService()).ToArray();
        try
        {
            return await RunAsync(context, cluster, services, cancellationToken);
        }
        finally
        {
            await Task.WhenAll(services.Select(service => service.DisposeAsync().AsTask()));
        }
    }

    private static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(
        ScenarioContext context, ScenarioCluster cluster, CheckingService[] services, CancellationToken cancellationToken)
    {
        var names = await RegisterAsync(cluster, services, cancellationToken);
        await WhenEverywhereAsync(cluster, names, DialOutcome.Connected, cancellationToken);
        var dialer = cluster.Cluster.CreateDialer(new Random(context.Random.Next()));
        await using var dials = new OpenLoopDials(dialer, context.Rate, () => Certificates.Domain, Port);
        await Task.Delay(WarmUp, cancellationToken);
        dials.Forget();

        // What stands at these services ends with them.
        dials.MarkCrash();
        await Task.WhenAll(services[..Stopped].Select(service => service.DisposeAsync().AsTask()));
        var leftOut = await WhenEverywhereAsync(cluster, names[..Stopped], DialOutcome.Unhealthy, cancellationToken);
        for (var i = 0; i < Stopped; i++)
        {
            services[i] = new CheckingService(services[i].Port);
        }

        var back = await WhenEverywhereAsync(cluster, names[..Stopped], DialOutcome.Connected, cancellationToken);
        var report = await cluster.ReportAsync(dials);
        return
        [
            ScenarioCluster.Failed(report),
            new("left-out-everywhere", leftOut.TotalSeconds, "s", Goal),
            new("back-everywhere", back.TotalSeconds, "s", Goal),
            new("dial-slowest", report.Latencies.Percentile(100).TotalSeconds, "s"),
            new("dial-p50", report.Latencies.Percentile(50).TotalMilliseconds, "ms"),
        ];
    }

    private static async Task<string[]> RegisterAsync(ScenarioCluster cluster, CheckingService[] services, CancellationToken cancellationToken)
    {
        var agents = services.Select(service => cluster.Agents.Create(
            options => (options.Ports, options.Checks) = ([new(Port, $"{service.Port}")], [$"{Port}=tcp"]),
            [.. cluster.Brokers.Select(broker => broker.Grpc)])).ToList();
        await Task.WhenAll(agents.Select(agent => agent.StartAsync(cancellationToken)));
        return [.. agents.Select(agent => agent.Name)];
    }

    /// <summary>The time until a dial of each name ends so at each broker.</summary>
    private static async Task<TimeSpan> WhenEverywhereAsync(
        ScenarioCluster cluster, string[] names, DialOutcome outcome, CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        await Task.WhenAll(cluster.Brokers.Select(AtAsync));
        return Stopwatch.GetElapsedTime(since);

        async Task AtAsync(LocalBroker broker)
        {
            using var dialer = new WhipDialer(new WhipDialerOptions { Brokers = [$"{broker.Dial}"], Tls = cluster.Cluster.Dialer });
            foreach (var name in names)
            {
                if (!await Polling.UntilAsync(() => EndsAsync(dialer, name), Limit, Interval, cancellationToken))
                {
                    throw broker.Program.Failed($"dials of {name} did not come to end as {outcome}");
                }
            }
        }

        async Task<bool> EndsAsync(WhipDialer dialer, string name)
        {
            var result = await dialer.TryDialAsync(new DialRequest(name, Port), cancellationToken);
            result.Stream?.Abort();
            return result.Outcome == outcome;
        }
    }
}
