using Whip.Bench.Measuring;
using Whip.Protocol.Names;
using Whip.Registry;

namespace Whip.Bench.Registry;

/// <summary>What a client costs a cluster of silos, how fast registrations reach the grains, and the time to find a client that another silo holds.</summary>
internal static class GrainMeasurement
{
    private const int Silos = 3;
    private const int ManySilos = 10;
    private const int Finds = 5_000;
    private const int Misses = 1_000;
    private const int Repeats = 200_000;

    private static readonly TimeSpan RegistrationTimeout = TimeSpan.FromMinutes(10);
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

    /// <summary>Registers until every client has its grain: the rate, and what a grain and the stream at its holder cost together.</summary>
    private static async Task RegisterAsync(SiloCluster cluster, int clients, FigureWriter figures, CancellationToken cancellationToken)
    {
        var management = cluster.Brokers[0].Grains.Silo!.Calls.Grains.GetGrain<IManagementGrain>(0);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < clients; i++)
        {
            cluster.Brokers[i % Silos].Registry.Attach(SiloCluster.Route(i));
        }

        if (!await Polling.UntilAsync(HaveAllGrainsAsync, RegistrationTimeout, Interval, cancellationToken))
        {
            throw new PartFailedException("grains", $"not every client has its grain within {RegistrationTimeout.TotalMinutes} minutes", []);
        }

        var seconds = watch.Elapsed.TotalSeconds;
        var after = GC.GetTotalMemory(forceFullCollection: true);
        await figures.WriteAsync("registrations", clients / seconds, "per second", seconds, ("clients", clients), ("silos", Silos));
        await figures.WriteAsync("client-memory", (after - before) / 1024.0 / clients, "KiB", seconds, ("clients", clients), ("silos", Silos));

        async Task<bool> HaveAllGrainsAsync()
        {
            var grains = await management.GetSimpleGrainStatistics(cancellationToken);
            return grains.Where(grain => grain.GrainType.Contains("ClientGrain", StringComparison.Ordinal)).Sum(grain => grain.ActivationCount) >= clients;
        }
    }

    /// <summary>One at a time, clients that another silo holds and that were not asked for before: the grain is asked, then the silo that it names.</summary>
    private static async Task FindAsync(SiloCluster cluster, int clients, FigureWriter figures, CancellationToken cancellationToken)
    {
        var finds = Math.Min(Finds, clients / Silos);
        var times = new TimeSpan[finds];
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < finds; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await ResolveAsync(cluster, SiloCluster.Route((i * Silos) + 1).Name.FullName, ResolveStatus.Found, cancellationToken);
            times[i] = Stopwatch.GetElapsedTime(began);
        }

        Array.Sort(times);
        foreach (var percent in new[] { 50, 99 })
        {
            var (time, seconds) = (times.Percentile(percent).TotalMicroseconds, watch.Elapsed.TotalSeconds);
            await figures.WriteAsync($"resolve-through-grain-p{percent}", time, "µs", seconds, ("clients", clients), ("silos", Silos));
        }
    }

    private static async Task RepeatAsync(string figure, string name, SiloCluster cluster, FigureWriter figures, CancellationToken cancellationToken)
    {
        await ResolveAsync(cluster, name, ResolveStatus.Found, cancellationToken);
        await MeasureAsync(figure, Repeats, _ => name, ResolveStatus.Found, cluster, figures, cancellationToken);
    }

    /// <summary>A miss asks two grains that are made for it, then every silo: the worst case of a dial.</summary>
    private static Task MissAsync(SiloCluster cluster, FigureWriter figures, CancellationToken cancellationToken) =>
        MeasureAsync("resolve-nobody", Misses, i => $"nobody{i}.elsewhere", ResolveStatus.NoSuchDomain, cluster, figures, cancellationToken);

    private static async Task MeasureAsync(
        string figure, int count, Func<int, string> name, ResolveStatus expected, SiloCluster cluster, FigureWriter figures, CancellationToken stop)
    {
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < count; i++)
        {
            await ResolveAsync(cluster, name(i), expected, stop);
        }

        var (micros, seconds) = (watch.Elapsed.TotalMicroseconds / count, watch.Elapsed.TotalSeconds);
        await figures.WriteAsync(figure, micros, "µs", seconds, ("silos", cluster.Brokers.Count));
    }

    private static async ValueTask ResolveAsync(SiloCluster cluster, string name, ResolveStatus expected, CancellationToken cancellationToken)
    {
        var request = new ResolveRequest(DialTarget.Of(name, SiloCluster.Port), []);
        var resolution = await cluster.Brokers[0].Registry.ResolveAsync(request, cancellationToken);
        if (resolution.Status != expected)
        {
            throw new InvalidOperationException($"{name}: {resolution.Status}, not {expected}");
        }
    }
}
