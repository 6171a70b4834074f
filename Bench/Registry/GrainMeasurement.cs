using System.Diagnostics;
using Whip.Bench.Measuring;
using Whip.Protocol.Names;
using Whip.Registry;

namespace Whip.Bench.Registry;

/// <summary>What a client costs a cluster of silos, how fast registrations reach the grains, and what it takes to find one that another silo holds.</summary>
internal static class GrainMeasurement
{
    private const int Silos = 3;
    private const int ManySilos = 10;
    private const int Finds = 5_000;
    private const int Misses = 1_000;
    private const int Repeats = 200_000;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    public static async Task RunAsync(int clients, FigureWriter figures, CancellationToken cancellationToken)
    {
        await using (var cluster = await SiloCluster.StartAsync(Silos, cancellationToken))
        {
            await RegisterAsync(cluster, clients, figures, cancellationToken);
            await FindAsync(cluster, clients, figures, cancellationToken);
            await RepeatAsync("resolve-cached", SiloCluster.Route(1).Name.FullName, cluster, figures, cancellationToken);
            await RepeatAsync("resolve-domain", SiloCluster.Route(1).Name.Domain, cluster, figures, cancellationToken);
            await MissAsync(cluster, figures, cancellationToken);
        }

        await using var many = await SiloCluster.StartAsync(ManySilos, cancellationToken);
        await MissAsync(many, figures, cancellationToken);
    }

    /// <summary>Until every client has its grain; what a grain and the stream at its holder cost together.</summary>
    private static async Task RegisterAsync(SiloCluster cluster, int clients, FigureWriter figures, CancellationToken cancellationToken)
    {
        var management = cluster.Brokers[0].Grains.Silo!.Calls.Grains.GetGrain<IManagementGrain>(0);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < clients; i++)
        {
            cluster.Brokers[i % Silos].Registry.Attach(SiloCluster.Route(i));
        }

        while ((await management.GetSimpleGrainStatistics(cancellationToken)).Where(grains => grains.GrainType.Contains("ClientGrain", StringComparison.Ordinal)).Sum(grains => grains.ActivationCount) < clients)
        {
            await Task.Delay(Interval, cancellationToken);
        }

        var seconds = watch.Elapsed.TotalSeconds;
        var after = GC.GetTotalMemory(forceFullCollection: true);
        await figures.WriteAsync("registrations", clients / seconds, "per second", seconds, ("clients", clients), ("silos", Silos));
        await figures.WriteAsync("client-memory", (after - before) / 1024.0 / clients, "KiB", seconds, ("clients", clients), ("silos", Silos));
    }

    /// <summary>One at a time, of clients that another silo holds and that nobody asked for before: the grain is asked, and then the silo that it names.</summary>
    private static async Task FindAsync(SiloCluster cluster, int clients, FigureWriter figures, CancellationToken cancellationToken)
    {
        var finds = Math.Min(Finds, clients / Silos);
        var micros = new double[finds];
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < finds; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await ResolveAsync(cluster, SiloCluster.Route((i * Silos) + 1).Name.FullName, ResolveStatus.Found, cancellationToken);
            micros[i] = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
        }

        Array.Sort(micros);
        await figures.WriteAsync("resolve-through-grain-p50", micros[finds / 2], "µs", watch.Elapsed.TotalSeconds, ("clients", clients), ("silos", Silos));
        await figures.WriteAsync("resolve-through-grain-p99", micros[finds * 99 / 100], "µs", watch.Elapsed.TotalSeconds, ("clients", clients), ("silos", Silos));
    }

    private static async Task RepeatAsync(string figure, string name, SiloCluster cluster, FigureWriter figures, CancellationToken cancellationToken)
    {
        await ResolveAsync(cluster, name, ResolveStatus.Found, cancellationToken);
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < Repeats; i++)
        {
            await ResolveAsync(cluster, name, ResolveStatus.Found, cancellationToken);
        }

        await figures.WriteAsync(figure, watch.Elapsed.TotalMicroseconds / Repeats, "µs", watch.Elapsed.TotalSeconds, ("silos", Silos));
    }

    /// <summary>A miss asks two grains that are made for it, and then every silo: the worst that a dial can ask for.</summary>
    private static async Task MissAsync(SiloCluster cluster, FigureWriter figures, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < Misses; i++)
        {
            await ResolveAsync(cluster, $"nobody{i}.elsewhere", ResolveStatus.NoSuchDomain, cancellationToken);
        }

        await figures.WriteAsync("resolve-nobody", watch.Elapsed.TotalMicroseconds / Misses, "µs", watch.Elapsed.TotalSeconds, ("silos", cluster.Brokers.Count));
    }

    private static async ValueTask ResolveAsync(SiloCluster cluster, string name, ResolveStatus expected, CancellationToken cancellationToken)
    {
        var resolution = await cluster.Brokers[0].Registry.ResolveAsync(new ResolveRequest(DialTarget.Of(name, SiloCluster.Port), []), cancellationToken);
        if (resolution.Status != expected)
        {
            throw new InvalidOperationException($"{name}: {resolution.Status}, not {expected}");
        }
    }
}
