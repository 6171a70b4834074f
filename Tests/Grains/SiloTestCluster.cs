using System.Net;
using Whip.Grains;
using Whip.Grains.Membership;
using Whip.Grains.Silos;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;
using Whip.Registry;
using Whip.Registry.Holders;
using Whip.Registry.Routes;
using Whip.Tests.Grains.Membership;

namespace Whip.Tests.Grains;

/// <summary>
/// Brokers of this process without agents and dials: each has a table, a registry and a real silo on the loopback interface. The silos' own table
/// is in memory if there is no other, and mends itself as the one in PostgreSQL does.
/// </summary>
internal sealed class SiloTestCluster(ISiloStore store, string clusterId = TableSilo.ClusterId) : IAsyncDisposable
{
    private int _streams;

    public ISiloStore Store => store;

    public CapturedLogs Logs { get; } = new();

    public List<TestedSilo> Silos { get; } = [];

    public TestedSilo this[int index] => Silos[index];

    /// <summary>Brokers b1, b2 and so on, each of which has heard of all others.</summary>
    public static async Task<SiloTestCluster> StartAsync(int silos, int maxWatchesPerName = 100)
    {
        var cluster = new SiloTestCluster(new MemoryStore());
        for (var i = 0; i < silos; i++)
        {
            await cluster.AddAsync($"b{i + 1}", maxWatchesPerName);
        }

        await cluster.KnownAsync();
        return cluster;
    }

    public async Task<TestedSilo> AddAsync(string id, int maxWatchesPerName = 100, TlsIdentity? tls = null, IPEndPoint? external = null)
    {
        var silo = Create(id, maxWatchesPerName, tls, external);
        silo.Grains.Start();
        await silo.Grains.Joined.WaitAsync(Patience.Long);
        return silo;
    }

    /// <summary>How a broker is a silo of this cluster, at a free port.</summary>
    public SiloSetup SetUp(string id, TlsIdentity? tls = null, IPEndPoint? external = null)
    {
        var address = new IPEndPoint(IPAddress.Loopback, FreePort.Find(1)[0]);
        return new SiloSetup
        {
            ClusterId = clusterId,
            BrokerId = id,
            Store = store,
            Listen = address,
            External = external ?? address,
            GatewayListen = null,
            Tls = tls,
        };
    }

    public TestedSilo Create(string id, int maxWatchesPerName = 100, TlsIdentity? tls = null, IPEndPoint? external = null)
    {
        var setup = SetUp(id, tls, external);
        var local = new LocalRoutes(maxWatchesPerName);
        var grains = new GrainCluster(setup, local, Logs, TimeProvider.System);
        grains.Members.Introduce(HostPort.Of($"{id}.test", 50051), HostPort.Of($"{id}.test", 8000), HostPort.Of($"{id}.test", 8010));
        var silo = new TestedSilo(id, local, grains, new ClusterRegistry(local, grains.Others, TimeProvider.System));
        Silos.Add(silo);
        return silo;
    }

    /// <summary>Waits until every broker trusts every other.</summary>
    public Task KnownAsync() => Patience.UntilAsync(
        () => Silos.TrueForAll(silo => silo.Text == string.Join(' ', Silos.Select(other => other.Id).Order(StringComparer.Ordinal))),
            "all members, trusted by all");

    public StreamRoute Route(string name)
    {
        Assert.True(InstanceName.TryParse(name, out var parsed));
        return new StreamRoute { StreamId = $"s{++_streams}", BrokerId = "", Name = parsed, Ports = [80] };
    }

    /// <summary>A broker stops: its silo leaves.</summary>
    public async Task StopAsync(TestedSilo silo)
    {
        Silos.Remove(silo);
        await silo.DisposeAsync().AsTask().WaitAsync(Patience.Long);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Silos.Select(silo => silo.DisposeAsync().AsTask())).WaitAsync(Patience.Long);
        Logs.Dispose();
    }
}

/// <summary>One broker of a <see cref="SiloTestCluster"/>.</summary>
internal sealed record TestedSilo(string Id, LocalRoutes Local, GrainCluster Grains, ClusterRegistry Registry) : IAsyncDisposable
{
    public SiloAddress Address => Grains.Silo!.Address;

    /// <summary>The names of the silos that it sees.</summary>
    public string Sees => string.Join(' ', Grains.Members.Silos);

    /// <summary>The members that it sees, in short: <c>b1 b2? b3!</c> for a live, a suspect and a draining one.</summary>
    public string Text => string.Join(' ', Grains.Members.Members
        .Select(member => $"{member.Id}{(member.IsSuspect ? "?" : "")}{(member.IsDraining ? "!" : "")}"));

    public T Grain<T>(string name)
        where T : IGrainWithStringKey => Grains.Silo!.Calls.Grains.GetGrain<T>(name);

    public Task SeesAsync(string members) => Patience.UntilAsync(() => Text == members, $"the members {members}");

    /// <summary>Whom the grains name as holders of a name, in order.</summary>
    public async Task<string> FindAsync(string name)
    {
        var known = await Grains.Others.FindAsync(name, default);
        return known is null ? "no answer" : string.Join(' ', known.Others.Concat(known.IsHere ? [Id] : []).Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>Its silo reads the table of silos, as it does every ten seconds.</summary>
    public ValueTask ReadTableAsync() => Grains.Silo!.Membership.Refresh();

    public async ValueTask DisposeAsync()
    {
        await Registry.DisposeAsync();
        await Grains.DisposeAsync();
    }
}
