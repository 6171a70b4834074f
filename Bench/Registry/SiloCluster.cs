using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Grains;
using Whip.Grains.Membership;
using Whip.Grains.Silos;
using Whip.Harness;
using Whip.Harness.Programs;
using Whip.Protocol.Names;
using Whip.Registry;
using Whip.Registry.Holders;
using Whip.Registry.Routes;

namespace Whip.Bench.Registry;

/// <summary>Silos of this process on a database of their own, each with a broker's table and registry, but without agents and dials.</summary>
internal sealed class SiloCluster : IAsyncDisposable
{
    public const int Port = 5051;

    private const string ClusterId = "bench";
    private const int InstancesPerDomain = 1000;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private readonly PostgresServer _postgres;

    private SiloCluster(PostgresServer postgres) => _postgres = postgres;

    public List<(GrainCluster Grains, ClusterRegistry Registry)> Brokers { get; } = [];

    public static async Task<SiloCluster> StartAsync(int silos, CancellationToken cancellationToken)
    {
        var cluster = new SiloCluster(await PostgresServer.StartNewAsync());
        try
        {
            var database = await cluster._postgres.CreateDatabaseAsync();
            for (var i = 0; i < silos; i++)
            {
                await cluster.AddAsync(i, database, cancellationToken);
            }

            while (!cluster.Brokers.TrueForAll(broker => broker.Grains.Others.All.Count(other => !other.IsSuspect) == silos - 1))
            {
                await Task.Delay(Interval, cancellationToken);
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The stream of this number, which is at the broker of this number modulo their count.</summary>
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

        await _postgres.DisposeAsync();
    }

    private async Task AddAsync(int number, string database, CancellationToken cancellationToken)
    {
        var local = new LocalRoutes(maxWatchesPerName: 256);
        var address = new IPEndPoint(IPAddress.Loopback, FreePort.Find(1)[0]);
        var setup = new SiloSetup
        {
            ClusterId = ClusterId,
            BrokerId = string.Create(CultureInfo.InvariantCulture, $"broker{number}"),
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
}
