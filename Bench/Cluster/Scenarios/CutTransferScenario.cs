using System.Net;
using Whip.Bench.Cluster.Load;
using Whip.Harness.Checking;
using Whip.Harness.Cluster;
using Whip.Protocol.Connect;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>
/// A broker is killed while bytes go through it as fast as they can. Each stream enters at a given broker, so that the victim is the way in of some,
/// the holder of others and both of a few; both ends of each must see an error.
/// </summary>
internal sealed class CutTransferScenario : IScenario
{
    private const int Agents = 30;
    private const int Streams = 30;
    private const int PieceSize = 64 * 1024;

    private static readonly TimeSpan Before = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan After = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan DialDeadline = TimeSpan.FromSeconds(5);

    public async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await using var cluster = await LocalCluster.StartAsync(context.Setup, cancellationToken);
        await using var agents = new LocalAgents(cluster, homes: 1);
        await agents.AddAsync(context.Agents ?? Agents, cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var relay = new CheckedRelay(int.MaxValue, PieceSize, TimeSpan.Zero);
        await Task.Delay(Before, cancellationToken);
        var running = new List<Task<EchoEnd>>();
        var ways = new List<IPEndPoint[]>();
        for (var i = 0; i < Streams; i++)
        {
            var (broker, agent) = (cluster.Brokers[i % cluster.Brokers.Count], agents.Registered[context.Random.Next(agents.Registered.Count)]);
            ways.Add([broker.Grpc, .. agent.AttachedTo]);
            var stream = await DialAsync(cluster, broker, new ConnectRequest(DialTarget.Of(agent.Name, agents.Service.Port)), cancellationToken);
            running.Add(relay.RunAsync(stream, context.Random.NextInt64(Pattern.Period), stop.Token));
        }

        await Task.Delay(Before, cancellationToken);
        var early = running.Count(r => r.IsCompleted);
        var victim = cluster.Brokers[context.Random.Next(cluster.Brokers.Count)];
        victim.Kill();
        await Task.Delay(After, cancellationToken);

        // What the service counts from here on is the end of this run.
        var atService = agents.Service.Echoes[EchoEnd.Reset];
        var falsehoods = RollingRestartScenario.Falsehoods([.. running.Where(r => r.IsCompleted).Select(r => r.Result)], agents.Service.Echoes);
        var elsewhere = running.Zip(ways).Count(pair => pair.First.IsCompleted && !pair.Second.Contains(victim.Grpc));
        await stop.CancelAsync();
        var ends = await Task.WhenAll(running);
        var cut = ends.Count(e => e != EchoEnd.Stopped);
        return
        [
            .. falsehoods,
            new("relays-cut-unseen-by-service", Math.Max(0, cut - atService), "", 0, ("cut", cut), ("streams", Streams)),
            new("relays-cut-elsewhere", early + elsewhere, "", 0),
            new("relays-not-cut-at-all", cut == 0 ? 1 : 0, "", 0),
        ];
    }

    private static async Task<Leg> DialAsync(LocalCluster cluster, LocalBroker broker, ConnectRequest request, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(DialDeadline);
        try
        {
            return await cluster.CreateDialer(broker, request).DialAsync(deadline.Token);
        }
        catch (DialFailedException failure)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw broker.Program.Failed($"the dial of {request.Target.Name} failed: {failure.Message}", failure);
        }
    }
}
