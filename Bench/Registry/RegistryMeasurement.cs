using System.Diagnostics;
using Whip.Bench.Measuring;
using Whip.Registry;

namespace Whip.Bench.Registry;

/// <summary>What a stream costs its holder, and what it takes to find one: here, remembered, and by asking the others.</summary>
internal static class RegistryMeasurement
{
    private const int Holders = 3;
    private const int Repeats = 200_000;
    private const int Located = 2_000;
    private static readonly int[] Peers = [3, 10, 30];

    public static async Task RunAsync(int streams, FigureWriter figures, CancellationToken cancellationToken)
    {
        await using (var cluster = await SimulatedCluster.StartAsync(Holders, cancellationToken))
        {
            await MemoryAsync(cluster, streams, figures);
            await ResolveAsync("resolve-local", "ns", 1e9, cluster, Repeats, i => SimulatedBroker.NameOf(Own(i, streams)), streams, figures, cancellationToken);
            await ResolveAsync("resolve-cached", "µs", 1e6, cluster, Repeats, _ => SimulatedBroker.NameOf(1), streams, figures, cancellationToken);
            await ResolveAsync("resolve-domain", "µs", 1e6, cluster, Repeats, _ => SimulatedBroker.DomainOf(1), streams, figures, cancellationToken);
            await ResolveAsync("resolve-located", "µs", 1e6, cluster, Located, i => SimulatedBroker.NameOf(Elsewhere(i, streams)), streams, figures, cancellationToken);
        }

        await PeersAsync(figures, cancellationToken);
    }

    // Streams are dealt out in turn: number i is at broker i % 3, and broker 0 is the ingress.
    private static int Own(int i, int streams) => i * Holders % (streams / Holders * Holders);

    private static int Elsewhere(int i, int streams) => ((i * Holders) + 4) % streams;

    private static Task MemoryAsync(SimulatedCluster cluster, int streams, FigureWriter figures)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < streams; i++)
        {
            cluster.Brokers[i % Holders].Attach(i);
        }

        watch.Stop();
        var after = GC.GetTotalMemory(forceFullCollection: true);
        return figures.WriteAsync("stream-memory", (double)(after - before) / streams, "B", watch.Elapsed.TotalSeconds, ("streams", streams), ("brokers", Holders));
    }

    private static async Task ResolveAsync(
        string figure, string unit, double perSecond, SimulatedCluster cluster, int count, Func<int, string> name, int streams, FigureWriter figures,
        CancellationToken cancellationToken)
    {
        // The names are made before the clock starts; the first resolve is the warm-up of a cached one.
        var names = Enumerable.Range(0, count).Select(name).ToArray();
        await FindAsync(cluster, names[^1], cancellationToken);
        var watch = Stopwatch.StartNew();
        foreach (var asked in names)
        {
            await FindAsync(cluster, asked, cancellationToken);
        }

        var seconds = watch.Elapsed.TotalSeconds;
        await figures.WriteAsync(figure, seconds / count * perSecond, unit, seconds, ("streams", streams), ("brokers", Holders));
    }

    private static async Task PeersAsync(FigureWriter figures, CancellationToken cancellationToken)
    {
        var micros = new List<double>();
        foreach (var peers in Peers)
        {
            await using var cluster = await SimulatedCluster.StartAsync(peers + 1, cancellationToken);
            await MissAsync(cluster, "warmup", Located / 5, cancellationToken);
            var watch = Stopwatch.StartNew();
            await MissAsync(cluster, "nobody", Located, cancellationToken);
            micros.Add(watch.Elapsed.TotalMicroseconds / Located);
            await figures.WriteAsync("locate", micros[^1], "µs", watch.Elapsed.TotalSeconds, ("peers", peers));
        }

        await figures.WriteAsync("locate-slope", (micros[^1] - micros[0]) / (Peers[^1] - Peers[0]), "µs per peer", 0, ("from", Peers[0]), ("to", Peers[^1]));
    }

    // A miss waits for every peer, which is the worst that a dial can ask for.
    private static async Task MissAsync(SimulatedCluster cluster, string prefix, int count, CancellationToken cancellationToken)
    {
        for (var i = 0; i < count; i++)
        {
            await cluster.Registry.ResolveAsync(new ResolveRequest($"{prefix}{i}.elsewhere", SimulatedBroker.Port, []), cancellationToken);
        }
    }

    private static async ValueTask FindAsync(SimulatedCluster cluster, string name, CancellationToken cancellationToken)
    {
        var resolution = await cluster.Registry.ResolveAsync(new ResolveRequest(name, SimulatedBroker.Port, []), cancellationToken);
        if (resolution.Status != ResolveStatus.Found)
        {
            throw new InvalidOperationException($"{name} was not found: {resolution.Status}");
        }
    }
}
