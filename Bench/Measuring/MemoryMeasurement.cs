using System.Collections.Concurrent;
using Whip.Protocol.Legs;

namespace Whip.Bench.Measuring;

/// <summary>
/// What an idle agent and an idle relay cost in memory: the slope of a program's resident set size between two numbers of them.
/// A reading is taken once it no longer moves. So that garbage neither counts nor makes room for what is measured, the programs
/// collect after every MiB, having made some first; this process, where the idle agents live, collects before it is read.
/// </summary>
internal static class MemoryMeasurement
{
    private const int WarmUpDials = 2000;
    private const int DialsAtOnce = 16;

    // Readings in a row that have not moved.
    private const int StillReadings = 6;

    /// <summary>For the programs of <see cref="RelaysAsync"/> and <see cref="AgentsAsync"/>.</summary>
    public static readonly IReadOnlyDictionary<string, string> Environment = new Dictionary<string, string> { ["DOTNET_GCGen0MaxBudget"] = "100000" };

    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan SettleTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan SettleInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>The programs with one agent registered and nothing to do, just as they start.</summary>
    public static async Task ProcessesAsync(MeasuredWhip whip, FigureWriter figures, CancellationToken cancellationToken)
    {
        var reading = await ReadSettledAsync([whip.Broker.Id, whip.Agent.Id], cancellationToken);
        foreach (var (program, kib) in new[] { whip.Broker, whip.Agent }.Zip(reading.Kib))
        {
            await figures.WriteAsync("process-memory", kib, "KiB", reading.Seconds, ("program", program.Part), ("settled", reading.IsSettled));
        }
    }

    public static async Task RelaysAsync(MeasuredWhip whip, int few, int many, FigureWriter figures, CancellationToken cancellationToken)
    {
        await DialAsync(whip, WarmUpDials, kept: null, cancellationToken);
        var legs = new ConcurrentQueue<Leg>();
        try
        {
            await WriteSlopeAsync("relay", whip, whip.Agent.Id, few, many, figures, AddAsync, cancellationToken);
        }
        finally
        {
            foreach (var leg in legs)
            {
                leg.Abort();
            }
        }

        Task AddAsync(int count) => DialAsync(whip, count, legs, cancellationToken);
    }

    /// <summary>The idle agents are library objects in this process, which does nothing else.</summary>
    public static async Task AgentsAsync(MeasuredWhip whip, int few, int many, FigureWriter figures, CancellationToken cancellationToken)
    {
        await using (var warmUp = CreateAgents())
        {
            await warmUp.AddAsync(few, cancellationToken);
        }

        await using var agents = CreateAgents();
        await WriteSlopeAsync("agent", whip, System.Environment.ProcessId, few, many, figures, AddAsync, cancellationToken);

        Task AddAsync(int count) => agents.AddAsync(count, cancellationToken);

        LocalAgents CreateAgents() => new(() => [whip.Broker.Addresses["grpc"]], () => 1, homes: 2, whip.AnyAgent);
    }

    private static async Task WriteSlopeAsync(
        string what, MeasuredWhip whip, int agentId, int few, int many, FigureWriter figures, Func<int, Task> addAsync, CancellationToken cancellationToken)
    {
        await addAsync(few);
        var first = await ReadSettledAsync([whip.Broker.Id, agentId], cancellationToken);
        await addAsync(many - few);
        var second = await ReadSettledAsync([whip.Broker.Id, agentId], cancellationToken);
        var (seconds, isSettled) = (first.Seconds + second.Seconds, first.IsSettled && second.IsSettled);
        foreach (var (i, program) in new[] { whip.Broker.Part, whip.Agent.Part }.Index())
        {
            var slope = (second.Kib[i] - first.Kib[i]) / (double)(many - few);
            (string, object)[] parameters = [("few", few), ("many", many), ("program", program), ("settled", isSettled)];
            await figures.WriteAsync($"{what}-memory", slope, $"KiB/{what}", seconds, parameters);
        }
    }

    private static Task DialAsync(MeasuredWhip whip, int count, ConcurrentQueue<Leg>? kept, CancellationToken cancellationToken)
    {
        var parallelism = new ParallelOptions { MaxDegreeOfParallelism = DialsAtOnce, CancellationToken = cancellationToken };
        return Parallel.ForAsync(0, count, parallelism, async (_, cancelled) =>
        {
            var leg = await whip.Dialer.AskAsync(DialTimeout, cancelled);
            kept?.Enqueue(leg);
            await (kept is null ? leg.DisposeAsync() : ValueTask.CompletedTask);
        });
    }

    /// <summary>Reads until no program's memory has moved by more than half a per cent for three seconds, or for twenty seconds.</summary>
    private static async Task<Reading> ReadSettledAsync(int[] pids, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var still = -1;
        var kib = Array.ConvertAll(pids, LinuxProcess.ResidentKib);
        var isSettled = await Polling.UntilAsync(IsStill, SettleTimeout, SettleInterval, cancellationToken);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return new Reading(Array.ConvertAll(pids, LinuxProcess.ResidentKib), isSettled, Stopwatch.GetElapsedTime(started).TotalSeconds);

        bool IsStill()
        {
            var next = Array.ConvertAll(pids, LinuxProcess.ResidentKib);
            still = next.Zip(kib).All(pair => Math.Abs(pair.First - pair.Second) <= pair.Second / 200) ? still + 1 : 0;
            kib = still == 0 ? next : kib;
            return still == StillReadings;
        }
    }

    private sealed record Reading(long[] Kib, bool IsSettled, double Seconds);
}
