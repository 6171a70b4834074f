using System.Net;

namespace Whip.Bench.Scenarios;

/// <summary>
/// A broker is killed while bytes go through it as fast as they can. Each stream enters at a given broker, so that the victim is the ingress of some,
/// the holder of others and both of a few. Both ends of each must see an error.
/// </summary>
internal static class CutTransferScenario
{
    private const int Agents = 30;
    private const int Streams = 30;
    private const int PieceSize = 64 * 1024;

    private static readonly TimeSpan Before = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan After = TimeSpan.FromSeconds(5);

    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await using var cluster = await ScenarioCluster.StartAsync(context, homes: 1, cancellationToken, context.Agents ?? Agents);
        var service = cluster.Agents.Service;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var relay = new CheckedRelay(int.MaxValue, PieceSize, TimeSpan.Zero);
        await Task.Delay(Before, cancellationToken);
        var running = new List<(Task<EchoEnd> Relay, IPEndPoint[] Brokers)>();
        for (var i = 0; i < Streams; i++)
        {
            var broker = cluster.Brokers[i % cluster.Brokers.Count];
            var agent = cluster.Agents.Registered[context.Random.Next(cluster.Agents.Registered.Count)];
            IPEndPoint[] brokers = [broker.Grpc, .. agent.AttachedTo];
            var stream = await cluster.Cluster.DialAsync(broker, agent.Name, service.Port, cancellationToken);
            running.Add((relay.RunAsync(stream, context.Random.NextInt64(Pattern.Period), stop.Token), brokers));
        }

        await Task.Delay(Before, cancellationToken);
        var early = running.Count(r => r.Relay.IsCompleted);
        var victim = cluster.Crash(isFrozen: false);
        await Task.Delay(After, cancellationToken);

        // What the service counts from here on is the end of this run.
        var atService = service.Echoes.ToArray();
        var falsehoods = RollingRestartScenario.Falsehoods([.. running.Where(r => r.Relay.IsCompleted).Select(r => r.Relay.Result), .. atService]);
        var elsewhere = running.Count(r => r.Relay.IsCompleted && !r.Brokers.Contains(victim.Grpc));
        await stop.CancelAsync();
        var ends = await Task.WhenAll(running.Select(r => r.Relay));
        var cut = ends.Count(end => end != EchoEnd.Stopped);
        return
        [
            .. falsehoods,
            new("relays-cut-unseen-by-service", Math.Max(0, cut - atService.Count(end => end == EchoEnd.Reset)), "", 0, ("cut", cut), ("streams", Streams)),
            new("relays-cut-elsewhere", early + elsewhere, "", 0),
            new("relays-not-cut-at-all", cut == 0 ? 1 : 0, "", 0),
        ];
    }
}
