using System.Collections.Concurrent;
using Whip.Client;
using Whip.Protocol.Dialing;

namespace Whip.Bench.Scenarios;

/// <summary>
/// One broker after the other is stopped and started again, while relays of 10 to 20 seconds and endless ones go through them. No dial may fail and no
/// short relay be cut. The endless ones are cut when the drain timeout is over, and both ends see it.
/// </summary>
internal static class RollingRestartScenario
{
    private const int Relays = 25;
    private const int PieceSize = 8 * 1024;
    private const int PiecesPerSecond = 10;

    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    // For the agents to return to it.
    private static readonly TimeSpan BetweenBrokers = TimeSpan.FromSeconds(2);

    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        var setup = context.Setup with { BrokerFlags = ["--drain-timeout", $"{DrainTimeout.TotalSeconds}s"] };
        await using var cluster = await ScenarioCluster.StartAsync(context with { Setup = setup }, homes: 2, cancellationToken);
        await cluster.StartDialsAsync(cancellationToken);
        await using var brief = new RelayLoop(cluster, Relays, random => Seconds(10 + (10 * random.NextDouble())), context.Random);
        await using var endless = new RelayLoop(cluster, Relays, _ => Seconds(3600), context.Random);
        var drains = new List<long>();
        foreach (var broker in cluster.Brokers)
        {
            drains.Add(Stopwatch.GetTimestamp());
            await broker.StopAsync(cancellationToken);
            await broker.StartAsync(cancellationToken);
            await Task.Delay(BetweenBrokers, cancellationToken);
        }

        await cluster.Agents.WhenHomesAsync(cancellationToken);
        var early = endless.Ended.Count(e => Stopwatch.GetElapsedTime(drains.Last(d => d <= e.At), e.At) < DrainTimeout - Tolerance);
        return
        [
            .. await cluster.ReportAsync(slowest: null),
            await cluster.FurtherSilosAsync(expected: 0),
            new("relay-dials-failed", brief.FailedDials + endless.FailedDials, "", 0),
            new("short-relays-cut", brief.Ended.Count(e => e.End != EchoEnd.Whole), "", 0, ("whole", brief.Ended.Count(e => e.End == EchoEnd.Whole))),
            new("long-relays-cut-early", early, "", 0, ("cut", endless.Ended.Count)),
            .. Falsehoods([.. brief.Ended.Concat(endless.Ended).Select(e => e.End), .. cluster.Agents.Service.Echoes]),
        ];
    }

    /// <summary>What no trouble excuses: a cut that looks like the end of the stream, or a wrong byte, at either end of a relay.</summary>
    public static IReadOnlyList<ScenarioFigure> Falsehoods(IReadOnlyCollection<EchoEnd> ends) =>
    [
        new("relays-cut-as-if-ended", ends.Count(end => end == EchoEnd.EarlyEnd), "", 0),
        new("relays-wrong", ends.Count(end => end == EchoEnd.Wrong), "", 0),
    ];

    private static CheckedRelay Seconds(double seconds) => new((int)(seconds * PiecesPerSecond), PieceSize, TimeSpan.FromSeconds(1.0 / PiecesPerSecond));

    /// <summary>Keeps a number of relays running, with a new one for each that ends, until disposed.</summary>
    private sealed class RelayLoop : IAsyncDisposable
    {
        private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);

        private readonly BackgroundWork _relays;
        private int _failedDials;

        public RelayLoop(ScenarioCluster cluster, int count, Func<Random, CheckedRelay> next, Random random)
        {
            var dialer = cluster.Cluster.CreateDialer(random);
            var seeds = Enumerable.Range(0, count).Select(_ => random.Next()).ToArray();
            _relays = new BackgroundWork(stop => Task.WhenAll(seeds.Select(seed => RunAsync(dialer, cluster.Agents, next, new Random(seed), stop))));
        }

        public int FailedDials => Volatile.Read(ref _failedDials);

        /// <summary>How and when relays ended; those that still run are not included.</summary>
        public ConcurrentQueue<(EchoEnd End, long At)> Ended { get; } = [];

        public ValueTask DisposeAsync() => _relays.DisposeAsync();

        private async Task RunAsync(WhipDialer dialer, LocalAgents agents, Func<Random, CheckedRelay> next, Random random, CancellationToken stop)
        {
            while (true)
            {
                var dialled = await dialer.TryDialAsync(new DialRequest(agents.Pick(random), agents.Service.Port), stop);
                if (dialled.IsConnected)
                {
                    var end = await next(random).RunAsync(dialled.Stream, random.NextInt64(Pattern.Period), stop);
                    stop.ThrowIfCancellationRequested();
                    Ended.Enqueue((end, Stopwatch.GetTimestamp()));
                }
                else
                {
                    Interlocked.Increment(ref _failedDials);
                    await Task.Delay(PauseAfterFailure, stop);
                }
            }
        }
    }
}
