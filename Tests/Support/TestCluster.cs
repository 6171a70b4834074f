using Whip.Broker;

namespace Whip.Tests.Support;

/// <summary>Brokers of this process that are one cluster on a real PostgreSQL, and trust each other before the test begins.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private const string ClusterId = "c1";

    private readonly TempFolder _folder = new();
    private readonly string _database;
    private readonly bool _tls;
    private readonly List<TestBroker> _brokers = [];

    private TestCluster(string database, bool tls) => (_database, _tls) = (database, tls);

    /// <summary>What WHIP_POSTGRES holds.</summary>
    public string Database => _database;

    public IReadOnlyList<TestBroker> Brokers => _brokers;

    public TestBroker this[int index] => _brokers[index];

    /// <summary>Brokers b1, b2 and so on. Without a PostgreSQL the test is skipped.</summary>
    public static async Task<TestCluster> StartAsync(bool tls, int brokers = 2, Action<WhipBrokerOptions>? configure = null) =>
        await StartAsync(await PostgresServer.SharedAsync(), tls, brokers, configure);

    /// <summary>The same on a server that the test may trouble.</summary>
    public static async Task<TestCluster> StartAsync(PostgresServer server, bool tls, int brokers, Action<WhipBrokerOptions>? configure = null)
    {
        var cluster = new TestCluster(await server.CreateDatabaseAsync(), tls);
        for (var i = 0; i < brokers; i++)
        {
            await cluster.AddAsync($"b{i + 1}", configure);
        }

        await cluster.KnownAsync();
        return cluster;
    }

    public async Task<TestBroker> AddAsync(string id, Action<WhipBrokerOptions>? configure = null)
    {
        var broker = await TestBroker.StartAsync(_tls, options =>
        {
            options.BrokerId = id;
            options.Cluster = ClusterEngine.Orleans;
            options.SiloListen = "127.0.0.1:0";
            options.ClusterId = ClusterId;
            options.Postgres = _database;
            if (_tls)
            {
                options.Tls = TestCertificates.Shared.WriteFiles(_folder.FullName, id, TestCertificates.Shared.MemberIdentity(ClusterId, id));
            }

            configure?.Invoke(options);
        });
        _brokers.Add(broker);
        return broker;
    }

    /// <summary>Waits until every broker trusts every other.</summary>
    public Task KnownAsync() => Patience.UntilAsync(
        () => _brokers.TrueForAll(broker =>
            broker.Parts.Cluster!.Members.Members is var members && members.Count == _brokers.Count
                && members.All(member => member is { IsSuspect: false, HasSilo: true })),
        "all members, trusted by all");

    /// <summary>Ends a broker at once: what stands there is reset.</summary>
    public async Task StopAsync(TestBroker broker)
    {
        _brokers.Remove(broker);
        await broker.Broker.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        await broker.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        // Together: a broker on its own would see the others go.
        await Task.WhenAll(_brokers.Select(broker => broker.DisposeAsync().AsTask()));
        _folder.Dispose();
    }
}
