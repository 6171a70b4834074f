using Whip.Bench.Local;
using Whip.Bench.Measuring;
using Whip.Client;
using Whip.Protocol.Connect;
using Whip.Protocol.Tls;

namespace Whip.Bench.Cluster;

/// <summary>A PostgreSQL and brokers that are a cluster on it, all processes on this machine. Disposing ends and removes all of it.</summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    private const string ClusterId = "bench";

    private static readonly TimeSpan DialPatience = TimeSpan.FromSeconds(20);

    private readonly TlsIdentity? _identity;

    private LocalCluster(LocalPostgres postgres, string connectionString, LocalPrograms programs, Certificates certificates, WhipTlsOptions dialer)
    {
        Postgres = postgres;
        ConnectionString = connectionString;
        Programs = programs;
        Certificates = certificates;
        Dialer = dialer;
        _identity = dialer.Enabled ? TlsIdentity.Load(dialer) : null;
    }

    public LocalPostgres Postgres { get; }

    public string ConnectionString { get; }

    public LocalPrograms Programs { get; }

    public Certificates Certificates { get; }

    /// <summary>What dials show the brokers.</summary>
    public WhipTlsOptions Dialer { get; }

    public IReadOnlyList<LocalBroker> Brokers { get; private set; } = [];

    /// <summary>Starts everything; every broker is ready.</summary>
    /// <exception cref="PartFailedException">A part did not start.</exception>
    public static async Task<LocalCluster> StartAsync(ClusterSetup setup, CancellationToken cancellationToken)
    {
        var postgres = await LocalPostgres.StartNewAsync();
        LocalPrograms? programs = null;
        LocalCluster? cluster = null;
        try
        {
            var database = await postgres.CreateDatabaseAsync();
            programs = new LocalPrograms(setup.ProgramFolder, new Dictionary<string, string>(setup.Environment) { ["WHIP_POSTGRES"] = database }, setup.LogFolder);
            var certificates = await Certificates.CreateAsync(programs, setup.Tls, cancellationToken);
            var dialer = await certificates.ClientAsync("dialer", "dialer", cancellationToken);
            cluster = new LocalCluster(postgres, database, programs, certificates, dialer);
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
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(DialPatience);
        try
        {
            (await CreateDialer(broker, new ConnectRequest(name, port) { Wait = DialPatience }).DialAsync(patience.Token)).Abort();
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

    private static async ValueTask DisposeAsync(LocalPrograms? programs, LocalPostgres postgres)
    {
        if (programs is not null)
        {
            await programs.DisposeAsync();
        }

        await postgres.DisposeAsync();
    }

    private async Task StartBrokersAsync(ClusterSetup setup, CancellationToken cancellationToken)
    {
        var ids = Enumerable.Range(1, setup.Brokers).Select(i => $"broker{i}");
        Brokers = await Task.WhenAll(ids.Select(async id =>
        {
            var tls = await Certificates.BrokerAsync(id, ClusterId, cancellationToken);
            string[] flags = ["--cluster", "orleans", "--cluster-id", ClusterId, .. setup.BrokerFlags, .. Certificates.Flags(tls)];
            return new LocalBroker(Programs, id, flags);
        }));
        await Task.WhenAll(Brokers.Select(b => b.StartAsync(cancellationToken)));
    }
}
