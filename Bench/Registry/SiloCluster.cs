using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Grains;
using Whip.Grains.Membership;
using Whip.Grains.Silos;
using Whip.Protocol.Names;
using Whip.Registry;
using Whip.Registry.Holders;
using Whip.Registry.Routes;

namespace Whip.Bench.Registry;

/// <summary>Silos in this process on a database of their own, each with a broker's table and registry, but without agents and dials.</summary>
internal sealed class SiloCluster(PostgresServer postgres) : IAsyncDisposable
{
    public const int Port = 5051;

    private const string ClusterId = "bench";
    private const int InstancesPerDomain = 1000;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    public List<(GrainCluster Grains, ClusterRegistry Registry)> Brokers { get; } = [];

    public static async Task<SiloCluster> StartAsync(int silos, CancellationToken cancellationToken) =>
        await Parts.StartAsync(new SiloCluster(await PostgresServer.StartNewAsync()), cluster => cluster.AddAsync(silos, cancellationToken));

    /// <summary>A stream by its number. The broker of the same number, modulo their count, holds it.</summary>
    public static StreamRoute Route(int number)
    {
        _ = InstanceName.TryParse(string.Create(CultureInfo.InvariantCulture, $"instance{number}.domain{number / InstancesPerDomain}"), out var name);
        var id = number.ToString("x32", CultureInfo.InvariantCulture);
        return new StreamRoute { StreamId = id, BrokerId = "", Name = name, Ports = [Port], AgentId = id, Generation = 1 };
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (grains, registry) in Brokers)
        {
            await registry.DisposeAsync();
            await grains.DisposeAsync();
        }

        await postgres.DisposeAsync();
    }

    private async Task AddAsync(int silos, CancellationToken cancellationToken)
    {
        var database = await postgres.CreateDatabaseAsync();
        for (var i = 0; i < silos; i++)
        {
            var local = new LocalRoutes(maxWatchesPerName: 256);
            var address = new IPEndPoint(IPAddress.Loopback, FreePort.Find(1)[0]);
            var setup = new SiloSetup
            {
                ClusterId = ClusterId,
                BrokerId = $"broker{i}",
                Store = new PostgresStore(database, ClusterId),
                Listen = address,
                External = address,
                GatewayListen = null,
                Tls = null,
            };
            var grains = new GrainCluster(setup, local, NullLoggerFactory.Instance, TimeProvider.System);
            Brokers.Add((grains, new ClusterRegistry(local, grains.Others, TimeProvider.System)));
            grains.Start();
            await grains.Joined.WaitAsync(StartTimeout, cancellationToken);
        }

        if (!await Polling.UntilAsync(DoAllSeeAll, StartTimeout, Interval, cancellationToken))
        {
            throw new PartFailedException("silos", $"they do not see each other within {StartTimeout.TotalSeconds} s", []);
        }

        bool DoAllSeeAll() => Brokers.TrueForAll(broker => broker.Grains.Others.All.Count(other => !other.IsSuspect) == silos - 1);
    }
}
