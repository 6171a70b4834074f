using System.Diagnostics;
using Whip.Bench.Cluster.Load;
using Whip.Harness.Cluster;
using Whip.Protocol.Connect;
using Whip.Protocol.Names;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>What a dial takes at the broker that holds the stream, at one that does not and has to find out who does, and there again. One dial at a time.</summary>
internal sealed class DialPathScenario : IScenario
{
    private const int Agents = 150;
    private const int WarmUps = 50;

    public async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await using var cluster = await LocalCluster.StartAsync(context.Setup, cancellationToken);
        await using var agents = new LocalAgents(cluster, homes: 1);
        var placed = new List<(string Name, LocalBroker Holder, LocalBroker Other)>();
        for (var i = 0; i < WarmUps + (context.Agents ?? Agents); i++)
        {
            var holder = context.Random.Next(cluster.Brokers.Count);
            var other = (holder + 1 + context.Random.Next(cluster.Brokers.Count - 1)) % cluster.Brokers.Count;
            var agent = agents.Create(cluster.Brokers[holder].Grpc);
            await agent.StartAsync(cancellationToken);
            placed.Add((agent.Name, cluster.Brokers[holder], cluster.Brokers[other]));
        }

        foreach (var (name, holder, _) in placed)
        {
            await cluster.AwaitDialableAsync(holder, name, agents.Service.Port, cancellationToken);
        }

        // The ways take turns, so that what else the machine does meets all of them alike.
        var times = new List<(double Holder, double First, double Again)>();
        foreach (var (name, holder, other) in placed)
        {
            times.Add((await DialAsync(holder, name), await DialAsync(other, name), await DialAsync(other, name)));
        }

        return [.. Figures("dial-at-holder", t => t.Holder), .. Figures("dial-elsewhere-first", t => t.First), .. Figures("dial-elsewhere-again", t => t.Again)];

        async Task<double> DialAsync(LocalBroker broker, string name)
        {
            var dialer = cluster.CreateDialer(broker, new ConnectRequest(DialTarget.Of(name, agents.Service.Port)));
            var began = Stopwatch.GetTimestamp();
            (await dialer.AskAsync(cancellationToken)).Abort();
            return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        }

        IEnumerable<ScenarioFigure> Figures(string figure, Func<(double Holder, double First, double Again), double> time)
        {
            var counted = times.Skip(WarmUps).Select(time).Order().ToArray();
            yield return new($"{figure}-p50", counted[counted.Length / 2], "ms", null, ("dials", counted.Length));
            yield return new($"{figure}-p99", counted[counted.Length * 99 / 100], "ms", null, ("dials", counted.Length));
        }
    }
}
