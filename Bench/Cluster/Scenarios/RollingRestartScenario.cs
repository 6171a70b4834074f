using System.Diagnostics;
using Whip.Harness.Checking;
using Whip.Protocol.Dialing;

namespace Whip.Bench.Cluster.Scenarios;

/// <summary>
/// One broker after the other is stopped and started again, while relays of 10 to 20 seconds and others without end go through them. No dial may
/// fail, no short relay be cut; the endless ones are cut when the drain timeout is over, and see it.
/// </summary>
internal sealed class RollingRestartScenario : IScenario
{
    private const int Agents = 100;
    private const int Relays = 25;
    private const int PieceSize = 8 * 1024;
    private const int PiecesPerSecond = 10;

    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    // For the agents to come back to it.
    private static readonly TimeSpan BetweenBrokers = TimeSpan.FromSeconds(2);

    public async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        var setup = context.Setup with { BrokerFlags = ["--drain-timeout", $"{DrainTimeout.TotalSeconds}s"] };
        await using var troubled = await TroubledCluster.StartAsync(context with { Setup = setup }, context.Agents ?? Agents, homes: 2, cancellationToken);
        var random = new Random(context.Random.Next());
        var dialer = troubled.Cluster.CreateDialer(random);
        await using var brief = Slots(() => 10 + (10 * random.NextDouble()));
        await using var endless = Slots(() => 3600);
        var drains = new List<long>();
        foreach (var broker in troubled.Cluster.Brokers)
        {
            drains.Add(Stopwatch.GetTimestamp());
            await broker.StopAsync(cancellationToken);
            await broker.StartAsync(cancellationToken);
            await Task.Delay(BetweenBrokers, cancellationToken);
        }

        await troubled.Agents.AwaitHomesAsync(cancellationToken);
        var early = endless.Ended.Count(e => Stopwatch.GetElapsedTime(drains.Last(d => d <= e.At), e.At) < DrainTimeout - Tolerance);
        return
        [
            .. await troubled.ReportAsync(slowest: null),
            await ScenarioFigure.FurtherSilosAsync(troubled.Cluster, expected: 0),
            new("relay-dials-failed", brief.FailedDials + endless.FailedDials, "", 0),
            new("short-relays-cut", brief.Ended.Count(e => e.End != EchoEnd.Whole), "", 0, ("whole", brief.Ended.Count(e => e.End == EchoEnd.Whole))),
            new("long-relays-cut-early", early, "", 0, ("cut", endless.Ended.Count)),
            .. Falsehoods([.. brief.Ended.Concat(endless.Ended).Select(e => e.End)], troubled.Agents.Service.Echoes),
        ];

        RelaySlots Slots(Func<double> seconds) => new(
            Relays,
            () => new CheckedRelay((int)(seconds() * PiecesPerSecond), PieceSize, TimeSpan.FromSeconds(1.0 / PiecesPerSecond)),
            async stop => await dialer.TryDialAsync(new DialRequest(troubled.Agents.Pick(Random.Shared), troubled.Agents.Service.Port), stop),
            random);
    }

    /// <summary>What no trouble excuses: a cut that looks like the end of the stream, or a wrong byte.</summary>
    public static IReadOnlyList<ScenarioFigure> Falsehoods(IReadOnlyCollection<EchoEnd> atDialers, EchoCounts atService) =>
    [
        new("relays-cut-as-if-ended", atDialers.Count(e => e == EchoEnd.EarlyEnd) + atService[EchoEnd.EarlyEnd], "", 0),
        new("relays-wrong", atDialers.Count(e => e == EchoEnd.Wrong) + atService[EchoEnd.Wrong], "", 0),
    ];
}
