using System.Globalization;
using Whip.Client;
using Whip.Harness.Checking;
using Whip.Harness.Programs;
using Whip.Protocol.Connect;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Harness.Cluster;

/// <summary>How a <see cref="LocalCluster"/> is made.</summary>
/// <param name="ProgramFolder">Where whip-broker and whip are.</param>
/// <param name="Tls">Mutual TLS, or plain.</param>
internal sealed record ClusterSetup(string ProgramFolder, bool Tls)
{
    public int Brokers { get; init; } = 3;

    /// <summary>Where the brokers' whole logs go; null for nowhere.</summary>
    public string? LogFolder { get; init; }

    /// <summary>What the brokers see besides this process' own variables.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Further flags of every broker.</summary>
    public IReadOnlyList<string> BrokerFlags { get; init; } = [];
}

/// <summary>A PostgreSQL and brokers that are a cluster on it, all processes on this machine. Disposing ends and removes all of it.</summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    private const string ClusterId = "bench";

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
        _brokers = [.. Enumerable.Range(1, setup.Brokers).Select(i => CreateBroker($"broker{i}"))];
        _identity = Dialer.Enabled ? TlsIdentity.Load(Dialer) : null;
    }

    public PostgresServer Postgres { get; }

    public string ConnectionString { get; }

    public WhipProcesses Programs { get; }

    public CertificateFiles CertificateFiles { get; }

    /// <summary>What dials show the brokers.</summary>
    public WhipTlsOptions Dialer { get; }

    /// <summary>Those that dials and agents go to.</summary>
    public IReadOnlyList<LocalBroker> Brokers => _brokers;

    /// <summary>Starts everything; every broker is ready.</summary>
    /// <exception cref="PartFailedException">A part did not start.</exception>
    public static async Task<LocalCluster> StartAsync(ClusterSetup setup, CancellationToken cancellationToken)
    {
        var cluster = await CreateAsync(setup);
        try
        {
            await Task.WhenAll(cluster.Brokers.Select(b => b.StartAsync(cancellationToken)));
            return cluster;
        }
        catch (Exception)
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts PostgreSQL alone.</summary>
    /// <exception cref="PartFailedException">It did not start.</exception>
    public static async Task<LocalCluster> CreateAsync(ClusterSetup setup)
    {
        var postgres = await PostgresServer.StartNewAsync();
        try
        {
            return new LocalCluster(setup, postgres, await postgres.CreateDatabaseAsync());
        }
        catch (Exception)
        {
            await postgres.DisposeAsync();
            throw;
        }
    }

    /// <summary>One more broker, not started, to which nobody goes unless <see cref="Use"/> is told so. Its id may be another's.</summary>
    public LocalBroker CreateBroker(string id, params string[] flags)
    {
        var tls = Certificates.Flags(CertificateFiles.Member(ClusterId, id));
        var broker = new LocalBroker(Programs, id, ["--cluster", "orleans", "--cluster-id", ClusterId, .. _setup.BrokerFlags, .. flags, .. tls]);
        _created = [.. _created, broker];
        return broker;
    }

    /// <summary>From now on dials and agents go to <paramref name="broker"/>, and not to the one it takes the place of.</summary>
    public void Use(LocalBroker broker, LocalBroker? insteadOf = null) => _brokers = [.. _brokers.Where(b => b != insteadOf), broker];

    /// <summary>Silos that there have been besides the one that every started broker begins with: whoever is declared dead and lives becomes another.</summary>
    public async Task<int> CountFurtherSilosAsync() =>
        Convert.ToInt32(await PostgresServer.ScalarAsync(ConnectionString, "SELECT count(*) FROM whip_orleans.silo"), CultureInfo.InvariantCulture)
        - _created.Sum(b => b.Starts);

    /// <summary>A dialer that knows all brokers, in an order of its own.</summary>
    public WhipDialer CreateDialer(Random random)
    {
        var fronts = Brokers.Select(b => $"{b.Dial}").ToArray();
        random.Shuffle(fronts);
        return new WhipDialer(new WhipDialerOptions { Brokers = fronts, Tls = Dialer });
    }

    /// <summary>Dials at one broker, which has to reach the holder itself.</summary>
    public RawDialer CreateDialer(LocalBroker broker, ConnectRequest request) => new(broker.Dial, _identity, request);

    /// <summary>Waits until a dial at one broker reaches an agent that has just started.</summary>
    /// <exception cref="PartFailedException">It does not.</exception>
    public async Task AwaitDialableAsync(LocalBroker broker, string name, int port, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(DialTimeout);
        try
        {
            (await CreateDialer(broker, new ConnectRequest(DialTarget.Of(name, port)) { Wait = DialTimeout }).DialAsync(deadline.Token)).Abort();
        }
        catch (DialFailedException failure)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw broker.Program.Failed($"the dial of {name} failed: {failure.Message}", failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var broker in _created)
        {
            // Nobody is left for whom they should drain.
            broker.Dispose();
        }

        await Programs.DisposeAsync();
        await Postgres.DisposeAsync();
    }
}
