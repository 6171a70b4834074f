using Microsoft.Extensions.Time.Testing;
using Orleans.Configuration;
using Orleans.TestingHost;
using Whip.Grains;
using Whip.Grains.Index;
using Whip.Grains.Silo;
using Whip.Registry;
using Whip.Registry.Peers;
using Whip.Registry.Routes;
using Whip.Tests.Registry.Peers;
using Whip.Tests.Support;

namespace Whip.Tests.Grains;

/// <summary>
/// Silos of this process, each with the table of a broker and an announcer, and the registry of the first. The links between the
/// brokers are <see cref="JoinedPeers"/>, which count who was asked.
/// </summary>
internal sealed class GrainTestCluster : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;
    private readonly Dictionary<string, LocalRoutes> _tables = [];
    private readonly Dictionary<string, Announcer> _announcers = [];
    private readonly Dictionary<string, CurrentSilo> _currents = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _loops = [];

    private GrainTestCluster(int silos, int maxWatchesPerName)
    {
        var builder = new InProcessTestClusterBuilder((short)silos);
        builder.Options.ConfigureFileLogging = false;
        builder.Options.InitializeClientOnDeploy = false;
        builder.ConfigureSilo((options, silo) =>
        {
            lock (_tables)
            {
                var table = _tables[options.SiloName] = _tables.Count == 0 ? new LocalRoutes(maxWatchesPerName) : Peers.Add(options.SiloName);
                SiloConfiguration.AddBroker(silo, options.SiloName, table);
            }

            silo.Configure<ClusterMembershipOptions>(membership => membership.ProbeTimeout = TimeSpan.FromSeconds(1));
            silo.Configure<SiloMessagingOptions>(messaging => messaging.ResponseTimeout = TimeSpan.FromSeconds(5));
        });
        _cluster = builder.Build();
    }

    public JoinedPeers Peers { get; } = new();

    /// <summary>Of the first broker. The test disposes it.</summary>
    public IClientRegistry Registry { get; private set; } = null!;

    /// <summary>The names of the silos, which are the brokers' ids; the registry is the first one's.</summary>
    public IReadOnlyList<string> Ids { get; private set; } = [];

    public static async Task<GrainTestCluster> StartAsync(int silos, int maxWatchesPerName = 100)
    {
        var cluster = new GrainTestCluster(silos, maxWatchesPerName);
        await cluster._cluster.DeployAsync().WaitAsync(Patience.Long);
        cluster.Ids = [.. cluster._tables.Keys];
        foreach (var silo in cluster._cluster.Silos)
        {
            cluster.Join(silo);
        }

        return cluster;
    }

    public LocalRoutes Table(string id) => _tables[id];

    public void Add(string id, StreamRoute route)
    {
        Table(id).Add(route);
        _announcers[id].Changed(route.Name);
    }

    public void Remove(string id, StreamRoute route)
    {
        Table(id).Remove(route);
        _announcers[id].Changed(route.Name);
    }

    /// <summary>What a broker does when silos come or go.</summary>
    public void SilosChanged(string id) => _currents[id].Changed();

    /// <summary>Asks the grain of a client which brokers hold it, through one silo.</summary>
    public async Task<string> HoldersAsync(string throughId, string name)
    {
        var known = await new GrainIndex(Current(Silo(throughId))).FindAsync(name, default);
        return known is null ? "no answer" : string.Join(' ', known.Others.Concat(known.IsHere ? [throughId] : []).Order());
    }

    public Task KillAsync(string id) => _cluster.KillSiloAsync(Silo(id)).WaitAsync(Patience.Long);

    /// <summary>Makes a grain forget, as when its silo goes.</summary>
    public Task ForgetAsync(IAddressable grain) => _cluster.DeactivateAsync(grain).WaitAsync(Patience.Long);

    public T Grain<T>(string name)
        where T : IGrainWithStringKey => SiloCalls.Of(_cluster.Silos[0].ServiceProvider).Grains.GetGrain<T>(name);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_loops);
        await _cluster.DisposeAsync();
        _stopping.Dispose();
    }

    private static CurrentSilo Current(InProcessSiloHandle silo)
    {
        var current = new CurrentSilo();
        current.Replace(SiloCalls.Of(silo.ServiceProvider));
        return current;
    }

    private InProcessSiloHandle Silo(string id) => _cluster.Silos.First(silo => silo.Name == id);

    private void Join(InProcessSiloHandle silo)
    {
        var current = _currents[silo.Name] = Current(silo);
        var announcer = _announcers[silo.Name] = new Announcer(_tables[silo.Name], current, TimeProvider.System);
        _loops.Add(announcer.RunAsync(_stopping.Token));
        if (silo.Name == Ids[0])
        {
            // Its time stands: however busy the machine is, it waits for the grain's answer and does not ask everybody instead.
            Registry = new GrainRegistry(new PeerRegistry(_tables[silo.Name], Peers, new GrainIndex(current), new FakeTimeProvider()), announcer);
        }
    }
}
