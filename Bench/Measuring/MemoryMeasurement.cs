using System.Collections.Concurrent;
using System.Diagnostics;
using Whip.Agent;
using Whip.Harness;
using Whip.Harness.Checking;
using Whip.Harness.Programs;
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
    private const int AtOnce = 16;

    /// <summary>For the programs of <see cref="RelaysAsync"/> and <see cref="AgentsAsync"/>.</summary>
    public static readonly IReadOnlyDictionary<string, string> Environment = new Dictionary<string, string> { ["DOTNET_GCGen0MaxBudget"] = "100000" };

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>The programs with one agent registered and nothing to do, just as they start.</summary>
    public static async Task ProcessesAsync(MeasuredWhip whip, FigureWriter figures, CancellationToken cancellationToken)
    {
        var reading = await SettledAsync([whip.Broker.Id, whip.Agent.Id], cancellationToken);
        await figures.WriteAsync("process-memory", reading.Kib[0], "KiB", reading.Seconds, ("program", whip.Broker.Part), ("settled", reading.IsSettled));
        await figures.WriteAsync("process-memory", reading.Kib[1], "KiB", reading.Seconds, ("program", whip.Agent.Part), ("settled", reading.IsSettled));
    }

    public static async Task RelaysAsync(MeasuredWhip whip, int few, int many, FigureWriter figures, CancellationToken cancellationToken)
    {
        await DialAsync(whip, WarmUpDials, keep: false, cancellationToken);
        var legs = new List<Leg>();
        try
        {
            legs.AddRange(await DialAsync(whip, few, keep: true, cancellationToken));
            var first = await SettledAsync([whip.Broker.Id, whip.Agent.Id], cancellationToken);
            legs.AddRange(await DialAsync(whip, many - few, keep: true, cancellationToken));
            var second = await SettledAsync([whip.Broker.Id, whip.Agent.Id], cancellationToken);
            await WriteAsync(figures, "relay-memory", "KiB/relay", few, many, first, second, [whip.Broker.Part, whip.Agent.Part]);
        }
        finally
        {
            legs.ForEach(leg => leg.Abort());
        }
    }

    /// <summary>The idle agents are library objects inside this process, which does nothing else meanwhile.</summary>
    public static async Task AgentsAsync(MeasuredWhip whip, int few, int many, FigureWriter figures, CancellationToken cancellationToken)
    {
        await DisposeAllAsync(await RegisterAsync(whip, 0, few, cancellationToken));
        var agents = new List<WhipAgent>();
        try
        {
            agents.AddRange(await RegisterAsync(whip, 0, few, cancellationToken));
            var first = await SettledAsync([whip.Broker.Id, System.Environment.ProcessId], cancellationToken);
            agents.AddRange(await RegisterAsync(whip, few, many, cancellationToken));
            var second = await SettledAsync([whip.Broker.Id, System.Environment.ProcessId], cancellationToken);
            await WriteAsync(figures, "agent-memory", "KiB/agent", few, many, first, second, [whip.Broker.Part, whip.Agent.Part]);
        }
        finally
        {
            await DisposeAllAsync(agents);
        }
    }

    private static async Task WriteAsync(FigureWriter figures, string name, string unit, int few, int many, Reading first, Reading second, string[] programs)
    {
        var (seconds, settled) = (first.Seconds + second.Seconds, first.IsSettled && second.IsSettled);
        foreach (var (program, i) in programs.Select((p, i) => (p, i)))
        {
            var slope = (second.Kib[i] - first.Kib[i]) / (double)(many - few);
            await figures.WriteAsync(name, slope, unit, seconds, ("few", few), ("many", many), ("program", program), ("settled", settled));
        }
    }

    private static async Task<IReadOnlyCollection<Leg>> DialAsync(MeasuredWhip whip, int count, bool keep, CancellationToken cancellationToken)
    {
        var legs = new ConcurrentQueue<Leg>();
        try
        {
            await Parallel.ForAsync(0, count, Parallelism(cancellationToken), async (_, cancelled) =>
            {
                var leg = await whip.Dialer.AskAsync(cancelled);
                if (keep)
                {
                    legs.Enqueue(leg);
                }
                else
                {
                    await leg.DisposeAsync();
                }
            });
            return legs;
        }
        catch (DialFailedException failure)
        {
            foreach (var leg in legs)
            {
                leg.Abort();
            }

            cancellationToken.ThrowIfCancellationRequested();
            throw await whip.FailedAsync($"a dial failed: {failure.Message}");
        }
    }

    private static async Task<IReadOnlyCollection<WhipAgent>> RegisterAsync(MeasuredWhip whip, int from, int to, CancellationToken cancellationToken)
    {
        var openings = WhipAgent.NewOpenings(TimeProvider.System);
        var agents = Enumerable.Range(from, to - from).Select(i => new WhipAgent(Options(whip, $"idle{i}"), openings)).ToArray();
        var started = Stopwatch.GetTimestamp();
        try
        {
            await Parallel.ForEachAsync(agents, Parallelism(cancellationToken), async (agent, cancelled) =>
            {
                await agent.StartAsync(cancelled);
                while (!agent.IsReady)
                {
                    if (Stopwatch.GetElapsedTime(started) > Patience)
                    {
                        throw await whip.FailedAsync($"{agent.Name} is not registered within {Patience.TotalSeconds} s");
                    }

                    await Task.Delay(10, cancelled);
                }
            });
            return agents;
        }
        catch (Exception)
        {
            await DisposeAllAsync(agents);
            throw;
        }
    }

    private static WhipAgentOptions Options(MeasuredWhip whip, string hostname) => new()
    {
        Hostname = hostname,
        Domain = Certificates.Domain,
        Ports = [whip.Service.Port],
        Endpoints = [$"{whip.Broker.Addresses["grpc"]}"],
        DrainTimeout = TimeSpan.Zero,
        Tls = whip.AnyAgent,
    };

    private static ParallelOptions Parallelism(CancellationToken cancellationToken) =>
        new() { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };

    private static Task DisposeAllAsync(IEnumerable<WhipAgent> agents) => Task.WhenAll(agents.Select(agent => agent.DisposeAsync().AsTask()));

    /// <summary>Reads until no program's memory has moved by more than half a per cent for three seconds, or for twenty seconds.</summary>
    private static async Task<Reading> SettledAsync(int[] pids, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var still = 0;
        var kib = Array.ConvertAll(pids, LinuxProcess.ResidentKib);
        while (still < 6 && Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20))
        {
            await Task.Delay(500, cancellationToken);
            var next = Array.ConvertAll(pids, LinuxProcess.ResidentKib);
            still = next.Zip(kib).All(pair => Math.Abs(pair.First - pair.Second) <= pair.Second / 200) ? still + 1 : 0;
            kib = still == 0 ? next : kib;
        }

        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return new Reading(Array.ConvertAll(pids, LinuxProcess.ResidentKib), still == 6, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private sealed record Reading(long[] Kib, bool IsSettled, double Seconds);
}
