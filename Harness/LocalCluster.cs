using Whip.Agent.Homes;
using Whip.Client;
using Whip.Harness.Checking;
using Whip.Harness.Programs;
using Whip.Protocol.Connect;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Harness;

/// <summary>How a <see cref="LocalCluster"/> is made.</summary>
/// <param name="ProgramFolder">The folder of whip-broker and whip.</param>
/// <param name="Tls">Mutual TLS, or plain.</param>
internal sealed record ClusterSetup(string ProgramFolder, bool Tls)
{
    /// <summary>The folder for the brokers' whole logs; null keeps the last lines only.</summary>
    public string? LogFolder { get; init; }

    /// <summary>Environment variables of the brokers besides those of this process.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<string> BrokerFlags { get; init; } = [];

    public int BrokerCount { get; init; } = 3;
}

/// <summary>A PostgreSQL server and a cluster of brokers on it, as processes on this machine. Disposing ends and removes all of it.</summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    public const string ClusterId = "bench";

    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(20);

    private readonly ClusterSetup _setup;
    private readonly TlsIdentity? _identity;

    // Replaced as a whole: the list of those in use is read at any time.
    private volatile IReadOnlyList<LocalBroker> _brokers;
    private IReadOnlyList<LocalBroker> _created = [];

    private LocalCluster(ClusterSetup setup, PostgresServer postgres, string connectionString)
    {
        _setup = setup;
        Postgres = postgres;
        ConnectionString = connectionString;
        var environment = new Dictionary<string, string>(setup.Environment) { ["WHIP_POSTGRES"] = connectionString };
        Programs = new WhipProcesses(setup.ProgramFolder, environment, setup.LogFolder);
        CertificateFiles = new CertificateFiles(Programs.Folder, setup.Tls);
        Dialer = CertificateFiles.Client($"dialer.{Certificates.Domain}");
        _brokers = [.. Enumerable.Range(1, setup.BrokerCount).Select(i => CreateBroker($"broker{i}"))];
        _identity = Dialer.Enabled ? TlsIdentity.Load(Dialer) : null;
    }

    public PostgresServer Postgres { get; }

    public string ConnectionString { get; }

    public WhipProcesses Programs { get; }

    public CertificateFiles CertificateFiles { get; }

    public WhipTlsOptions Dialer { get; }

    /// <summary>The brokers that dials and agents go to.</summary>
    public IReadOnlyList<LocalBroker> Brokers => _brokers;

    /// <summary>How often brokers were started.</summary>
    public int Starts => _created.Sum(broker => broker.Starts);

    /// <summary>Starts PostgreSQL and the brokers, and waits until every broker is ready.</summary>
    public static async Task<LocalCluster> StartAsync(ClusterSetup setup, CancellationToken cancellationToken)
    {
        var database = "";
        var postgres = await Parts.StartAsync(await PostgresServer.StartNewAsync(), async server => database = await server.CreateDatabaseAsync());
        var cluster = new LocalCluster(setup, postgres, database);
        return await Parts.StartAsync(cluster, _ => Task.WhenAll(cluster.Brokers.Select(broker => broker.StartAsync(cancellationToken))));
    }

    /// <summary>Creates one more broker without starting it. Dials and agents go to it only after <see cref="Use"/>. Its id may be another's.</summary>
    public LocalBroker CreateBroker(string id, params string[] flags)
    {
        var tls = Certificates.Flags(CertificateFiles.Member(ClusterId, id));
        var broker = new LocalBroker(Programs, id, ["--cluster", "orleans", "--cluster-id", ClusterId, .. _setup.BrokerFlags, .. flags, .. tls]);
        _created = [.. _created, broker];
        return broker;
    }

    /// <summary>Sends dials and agents to <paramref name="broker"/> from now on, and no longer to the one it replaces.</summary>
    public void Use(LocalBroker broker, LocalBroker? insteadOf = null) => _brokers = [.. _brokers.Where(b => b != insteadOf), broker];

    /// <summary>The broker that an agent of this name with one home chooses, wherever it registers first.</summary>
    public LocalBroker HomeOf(string name)
    {
        var candidates = Brokers.Select(broker => new Candidate(new HomeAddress(broker.Grpc, HostPort.Of("127.0.0.1", broker.Grpc.Port)))
        {
            Broker = broker.Id,
            Key = broker.Id,
        });
        var home = HomeChoice.Choose(name, candidates, homes: 1)[0].Broker;
        return Brokers.First(broker => broker.Id == home);
    }

    /// <summary>Every silo there has been, with its status as Orleans numbers them. A broker whose silo is declared dead while it lives has another.</summary>
    public async Task<string[]> ReadSilosAsync()
    {
        const string Silos = "SELECT array_agg(format('%s %s:%s status %s', name, port, generation, status) ORDER BY started) FROM whip_orleans.silo";
        return (string[])(await PostgresServer.ScalarAsync(ConnectionString, Silos))!;
    }

    public WhipDialer CreateDialer(Random random)
    {
        var fronts = Brokers.Select(b => $"{b.Dial}").ToArray();
        random.Shuffle(fronts);
        return new WhipDialer(new WhipDialerOptions { Brokers = fronts, Tls = Dialer });
    }

    /// <summary>A dialer of one name at one broker, which has to reach the holder itself.</summary>
    public RawDialer CreateDialer(LocalBroker broker, string name, int port, TimeSpan? wait = null) =>
        new(broker.Dial, _identity, new ConnectRequest(DialTarget.Of(name, port)) { Wait = wait });

    /// <summary>Dials an agent, which may have only just started, at one broker.</summary>
    public async Task<Leg> DialAsync(LocalBroker broker, string name, int port, CancellationToken cancellationToken)
    {
        try
        {
            return await CreateDialer(broker, name, port, DialTimeout).DialAsync(DialTimeout, cancellationToken);
        }
        catch (DialFailedException failure)
        {
            throw broker.Program.Failed($"the dial of {name} failed: {failure.Message}", failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var broker in _created)
        {
            // No client is left for whom they should drain.
            broker.Dispose();
        }

        await Programs.DisposeAsync();
        await Postgres.DisposeAsync();
    }
}
