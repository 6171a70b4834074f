using Whip.Harness.Programs;
using Whip.Harness.Checking;
using Whip.Client;
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

    private readonly TlsIdentity? _identity;

    private LocalCluster(PostgresServer postgres, string connectionString, WhipProcesses programs, CertificateFiles certificates)
    {
        Postgres = postgres;
        ConnectionString = connectionString;
        Programs = programs;
        CertificateFiles = certificates;
        Dialer = certificates.Client($"dialer.{Certificates.Domain}");
        _identity = Dialer.Enabled ? TlsIdentity.Load(Dialer) : null;
    }

    public PostgresServer Postgres { get; }

    public string ConnectionString { get; }

    public WhipProcesses Programs { get; }

    public CertificateFiles CertificateFiles { get; }

    /// <summary>What dials show the brokers.</summary>
    public WhipTlsOptions Dialer { get; }

    public IReadOnlyList<LocalBroker> Brokers { get; private set; } = [];

    /// <summary>Starts everything; every broker is ready.</summary>
    /// <exception cref="PartFailedException">A part did not start.</exception>
    public static async Task<LocalCluster> StartAsync(ClusterSetup setup, CancellationToken cancellationToken)
    {
        var postgres = await PostgresServer.StartNewAsync();
        WhipProcesses? programs = null;
        LocalCluster? cluster = null;
        try
        {
            var database = await postgres.CreateDatabaseAsync();
            programs = new WhipProcesses(setup.ProgramFolder, new Dictionary<string, string>(setup.Environment) { ["WHIP_POSTGRES"] = database }, setup.LogFolder);
            cluster = new LocalCluster(postgres, database, programs, new CertificateFiles(programs.Folder, setup.Tls));
            await cluster.StartBrokersAsync(setup, cancellationToken);
            return cluster;
        }
        catch (Exception)
        {
            await (cluster?.DisposeAsync() ?? DisposeAsync(programs, postgres));
            throw;
        }
    }

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
        foreach (var broker in Brokers)
        {
            // Nobody is left for whom they should drain.
            broker.Dispose();
        }

        await DisposeAsync(Programs, Postgres);
    }

    private static async ValueTask DisposeAsync(WhipProcesses? programs, PostgresServer postgres)
    {
        if (programs is not null)
        {
            await programs.DisposeAsync();
        }

        await postgres.DisposeAsync();
    }

    private async Task StartBrokersAsync(ClusterSetup setup, CancellationToken cancellationToken)
    {
        Brokers = Enumerable.Range(1, setup.Brokers).Select(i => CreateBroker($"broker{i}", setup)).ToArray();
        await Task.WhenAll(Brokers.Select(b => b.StartAsync(cancellationToken)));
    }

    private LocalBroker CreateBroker(string id, ClusterSetup setup) => new(
        Programs,
        id,
        ["--cluster", "orleans", "--cluster-id", ClusterId, .. setup.BrokerFlags, .. Certificates.Flags(CertificateFiles.Member(ClusterId, id))]);
}
