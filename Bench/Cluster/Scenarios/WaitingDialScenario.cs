using System.Diagnostics;
using System.Globalization;
using Whip.Bench.Cluster.Load;
using Whip.Harness.Checking;
using Whip.Harness.Cluster;
using Whip.Protocol.Connect;
using Whip.Protocol.Names;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>A dial waits at one broker for an agent that then registers at another.</summary>
internal sealed class WaitingDialScenario : IScenario
{
    private const int WarmUps = 5;
    private const int Dials = 20;

    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);

    // For the dial to have begun to wait everywhere.
    private static readonly TimeSpan Before = TimeSpan.FromMilliseconds(700);

    public async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await using var cluster = await LocalCluster.StartAsync(context.Setup, cancellationToken);
        await using var agents = new LocalAgents(cluster, homes: 1);
        var times = new List<TimeSpan>();
        var failed = 0;
        for (var i = 0; i < WarmUps + Dials; i++)
        {
            var at = context.Random.Next(cluster.Brokers.Count);
            var elsewhere = (at + 1 + context.Random.Next(cluster.Brokers.Count - 1)) % cluster.Brokers.Count;
            try
            {
                times.Add(await DialAsync(cluster.Brokers[at], cluster.Brokers[elsewhere], cluster, agents, cancellationToken));
            }
            catch (DialFailedException failure)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await context.NoteAsync(string.Create(CultureInfo.InvariantCulture, $"dial {i} failed: {failure.Message}"));
                failed++;
            }
        }

        var counted = times.Skip(WarmUps).Order().ToArray();
        return
        [
            new("waiting-dials-failed", failed, "", 0, ("dials", WarmUps + Dials)),
            new("waiting-dial-slowest", counted.LastOrDefault().TotalMilliseconds, "ms", 200),
            new("waiting-dial-p50", counted.ElementAtOrDefault(counted.Length / 2).TotalMilliseconds, "ms"),
        ];
    }

    /// <summary>From when the agent knows that it is registered until the dial is through.</summary>
    private static async Task<TimeSpan> DialAsync(LocalBroker at, LocalBroker elsewhere, LocalCluster cluster, LocalAgents agents, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Wait);
        await using var agent = agents.Create(elsewhere.Grpc);
        var dialing = AnsweredAsync();
        await Task.Delay(Before, cancellationToken);
        await agent.StartAsync(deadline.Token);
        while (!agent.IsReady && !dialing.IsCompleted)
        {
            await Task.Delay(1, cancellationToken);
        }

        var registered = Stopwatch.GetTimestamp();
        var answered = await dialing;
        return answered > registered ? Stopwatch.GetElapsedTime(registered, answered) : TimeSpan.Zero;

        async Task<long> AnsweredAsync()
        {
            var request = new ConnectRequest(DialTarget.Of(agent.Name, agents.Service.Port)) { Wait = Wait };
            var leg = await cluster.CreateDialer(at, request).DialAsync(deadline.Token);
            var now = Stopwatch.GetTimestamp();
            leg.Abort();
            return now;
        }
    }
}
