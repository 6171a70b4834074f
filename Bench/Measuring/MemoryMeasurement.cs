using System.Collections.Concurrent;
using Whip.Protocol;
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
        var (dial, processes) = (whip.Dialing(MeasuredDialer.Bare), Processes(whip, whip.Agent.Id));
        await WriteSlopeAsync("relay", few, many, await RelaySlopeAsync(dial, Nonce.ExchangeAsync, processes, few, many, cancellationToken), figures);
    }

    /// <summary>The same of any processes between a dialer and its service.</summary>
    public static async Task<MemorySlope> RelaySlopeAsync(
        Func<Deadline, Task<WhipStream>> dialAsync,
        Func<Stream, CancellationToken, Task> exchangeAsync,
        (string Part, int Id)[] processes,
        int few,
        int many,
        CancellationToken cancellationToken)
    {
        var streams = new ConcurrentQueue<WhipStream>();
        try
        {
            await DialAsync(WarmUpDials, static stream => stream.DisposeAsync());
            return await SlopeAsync(processes, few, many, AddAsync, cancellationToken);
        }
        finally
        {
            foreach (var stream in streams)
            {
                stream.Abort();
            }
        }

        Task AddAsync(int count) => DialAsync(count, stream =>
        {
            streams.Enqueue(stream);
            return ValueTask.CompletedTask;
        });

        Task DialAsync(int count, Func<WhipStream, ValueTask> then)
        {
            var parallelism = new ParallelOptions { MaxDegreeOfParallelism = DialsAtOnce, CancellationToken = cancellationToken };
            return Parallel.ForAsync(
                0, count, parallelism, async (_, cancelled) => await then(await DialLoad.AskAsync(dialAsync, exchangeAsync, DialTimeout, cancelled)));
        }
    }

    /// <summary>The idle agents are library objects in this process, which does nothing else.</summary>
    public static async Task AgentsAsync(MeasuredWhip whip, int few, int many, FigureWriter figures, CancellationToken cancellationToken)
    {
        await using (var warmUp = CreateAgents())
        {
            await warmUp.AddAsync(few, cancellationToken);
        }

        await using var agents = CreateAgents();
        var processes = Processes(whip, System.Environment.ProcessId);
        var slope = await SlopeAsync(processes, few, many, count => agents.AddAsync(count, cancellationToken), cancellationToken);
        await WriteSlopeAsync("agent", few, many, slope, figures);

        LocalAgents CreateAgents() => new(() => [whip.Broker.Addresses["grpc"]], () => 1, homes: 2, whip.AnyAgent);
    }

    private static (string Part, int Id)[] Processes(MeasuredWhip whip, int agentId) => [(whip.Broker.Part, whip.Broker.Id), (whip.Agent.Part, agentId)];

    private static async Task WriteSlopeAsync(string what, int few, int many, MemorySlope slope, FigureWriter figures)
    {
        foreach (var (program, kib) in slope.Kib)
        {
            (string, object)[] parameters = [("few", few), ("many", many), ("program", program), ("settled", slope.IsSettled)];
            await figures.WriteAsync($"{what}-memory", kib, $"KiB/{what}", slope.Seconds, parameters);
        }
    }

    private static async Task<MemorySlope> SlopeAsync(
        (string Part, int Id)[] processes, int few, int many, Func<int, Task> addAsync, CancellationToken cancellationToken)
    {
        var pids = Array.ConvertAll(processes, process => process.Id);
        await addAsync(few);
        var first = await ReadSettledAsync(pids, cancellationToken);
        await addAsync(many - few);
        var second = await ReadSettledAsync(pids, cancellationToken);
        var slopes = processes.Select((process, i) => (process.Part, (second.Kib[i] - first.Kib[i]) / (double)(many - few)));
        return new MemorySlope([.. slopes], first.Seconds + second.Seconds, first.IsSettled && second.IsSettled);
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

/// <summary>KiB for each of what was added, of every process.</summary>
/// <param name="Kib">By the name of the process.</param>
/// <param name="Seconds">How long it took to read.</param>
/// <param name="IsSettled">No process' memory moved any more when it was read.</param>
internal sealed record MemorySlope((string Program, double Kib)[] Kib, double Seconds, bool IsSettled);
