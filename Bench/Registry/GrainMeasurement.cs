using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Bench.Measuring;
using Whip.Grains;
using Whip.Grains.Membership;
using Whip.Grains.Silo;
using Whip.Harness;
using Whip.Harness.Programs;
using Whip.Protocol.Names;
using Whip.Registry;
using Whip.Registry.Peers;
using Whip.Registry.Routes;

namespace Whip.Bench.Registry;

/// <summary>What a client costs a cluster of three silos, how fast registrations reach the grains, and what it takes to ask one; all in this process, on a database of its own.</summary>
internal static class GrainMeasurement
{
    private const int Silos = 3;
    private const int ClientsPerDomain = 1000;
    private const int Finds = 5_000;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    public static async Task RunAsync(int clients, FigureWriter figures, CancellationToken cancellationToken)
    {
        await using var postgres = await PostgresServer.StartNewAsync();
        var database = await postgres.CreateDatabaseAsync();
        var silos = new List<(GrainCluster Cluster, IClientRegistry Registry)>();
        try
        {
            for (var i = 0; i < Silos; i++)
            {
                silos.Add(await StartAsync(i, database, cancellationToken));
            }

            await RegisterAsync(silos, clients, figures, cancellationToken);
            await FindAsync(silos, clients, figures, cancellationToken);
        }
        finally
        {
            foreach (var (cluster, registry) in silos)
            {
                await registry.DisposeAsync();
                await cluster.DisposeAsync();
            }
        }
    }

    private static async Task<(GrainCluster Cluster, IClientRegistry Registry)> StartAsync(int number, string database, CancellationToken cancellationToken)
    {
        var local = new LocalRoutes(maxWatchesPerName: 256);
        var address = new IPEndPoint(IPAddress.Loopback, FreePort.Find(1)[0]);
        var setup = new SiloSetup
        {
            ClusterId = SimulatedBroker.ClusterId,
            BrokerId = string.Create(CultureInfo.InvariantCulture, $"broker{number}"),
            Store = new PostgresStore(database, SimulatedBroker.ClusterId),
            Listen = address,
            External = address,
            GatewayListen = null,
            Tls = null,
        };
        var cluster = new GrainCluster(setup, local, NullLoggerFactory.Instance, TimeProvider.System);
        cluster.Start();
        await cluster.Started.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
        return (cluster, cluster.CreateRegistry(new PeerRegistry(local, new NoPeers(), cluster.Index, TimeProvider.System)));
    }

    /// <summary>Until every client has its grain; what a grain and the stream at its holder cost together.</summary>
    private static async Task RegisterAsync(List<(GrainCluster Cluster, IClientRegistry Registry)> silos, int clients, FigureWriter figures, CancellationToken cancellationToken)
    {
        var management = silos[0].Cluster.Silo!.Calls.Grains.GetGrain<IManagementGrain>(0);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < clients; i++)
        {
            await silos[i % Silos].Registry.AnnounceAsync(Route(i), cancellationToken);
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

    /// <summary>One at a time, of a client that another silo holds.</summary>
    private static async Task FindAsync(List<(GrainCluster Cluster, IClientRegistry Registry)> silos, int clients, FigureWriter figures, CancellationToken cancellationToken)
    {
        var index = silos[0].Cluster.Index;
        var micros = new double[Finds];
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < Finds; i++)
        {
            var began = Stopwatch.GetTimestamp();
            var number = ((i * Silos) + 1) % (clients / Silos * Silos);
            if (await index.FindAsync(Route(number).Name.FullName, cancellationToken) is not { Others.Count: 1 })
            {
                throw new InvalidOperationException($"{Route(number).Name.FullName} was not found");
            }

            micros[i] = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
        }

        // The median: every half minute the silos announce all they hold for ten seconds, and a question waits longer then.
        Array.Sort(micros);
        await figures.WriteAsync("find-through-grain-p50", micros[Finds / 2], "µs", watch.Elapsed.TotalSeconds, ("clients", clients), ("silos", Silos));
        await figures.WriteAsync("find-through-grain-p99", micros[Finds * 99 / 100], "µs", watch.Elapsed.TotalSeconds, ("clients", clients), ("silos", Silos));
    }

    private static StreamRoute Route(int number)
    {
        _ = InstanceName.TryParse(string.Create(CultureInfo.InvariantCulture, $"instance{number}.domain{number / ClientsPerDomain}"), out var name);
        var id = number.ToString("x32", CultureInfo.InvariantCulture);
        return new StreamRoute { StreamId = id, BrokerId = $"broker{number % Silos}", Name = name, Ports = [SimulatedBroker.Port], AgentId = id, Generation = 1 };
    }
}
