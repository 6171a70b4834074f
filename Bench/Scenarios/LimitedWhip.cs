using System.Net;
using Whip.Protocol.Connect;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Bench.Scenarios;

/// <summary>The program of a <see cref="LimitedWhip"/> that may open few files.</summary>
internal enum LimitedPart
{
    Broker,
    Agent,
    Proxy,
}

/// <summary>
/// A broker, an agent and a proxy as processes, one of them with few open files, and a service in this process. The broker may be one of a cluster.
/// </summary>
internal sealed class LimitedWhip : IAsyncDisposable
{
    private const string Hostname = "instance1";
    private const string ClusterId = "bench";
    private const string BrokerId = "broker1";

    private static readonly TimeSpan RegistrationTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BackTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan BackInterval = TimeSpan.FromMilliseconds(100);

    private readonly WhipProcesses _programs;
    private readonly LimitedPart _part;
    private readonly int _limit;
    private readonly PostgresServer? _postgres;
    private readonly List<WhipProcess> _started = [];

    private LimitedWhip(string programFolder, LimitedPart part, int limit, PostgresServer? postgres) =>
        (_programs, _part, _limit, _postgres) = (new WhipProcesses(programFolder), part, limit, postgres);

    public int Limit => _limit;

    public CheckingService Service { get; } = new();

    /// <summary>The broker, the agent and the proxy.</summary>
    public IReadOnlyList<WhipProcess> Programs => _started;

    /// <summary>The program with the limit.</summary>
    public WhipProcess Limited { get; private set; } = null!;

    /// <summary>Where strangers can connect to it.</summary>
    public IReadOnlyList<IPEndPoint> Ports => [.. Limited.Addresses.Values];

    /// <summary>Where the silos of a cluster meet, and where clients of Orleans come.</summary>
    public IReadOnlyList<IPEndPoint> SiloPorts => [Limited.Addresses["silo"], Limited.Addresses["gateway"]];

    /// <summary>Of the dialer; null if everything runs plain.</summary>
    public TlsIdentity? Identity { get; private set; }

    /// <summary>Dials the service, through the proxy if that has the limit.</summary>
    public RawDialer Dialer { get; private set; } = null!;

    /// <exception cref="PartFailedException">The program with the limit has ended.</exception>
    public int OpenFiles
    {
        get
        {
            try
            {
                return LinuxProcess.OpenFiles(Limited.Id);
            }
            catch (DirectoryNotFoundException error)
            {
                throw Limited.Failed("has ended", error);
            }
        }
    }

    /// <param name="programFolder">The folder of the programs.</param>
    /// <param name="tls">Mutual TLS, or plain.</param>
    /// <param name="part">The program with the limit.</param>
    /// <param name="limit">Of its open files.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <param name="inCluster">The broker runs on Orleans, with a database of its own.</param>
    public static async Task<LimitedWhip> StartAsync(
        string programFolder, bool tls, LimitedPart part, int limit, CancellationToken cancellationToken, bool inCluster = false)
    {
        var whip = new LimitedWhip(programFolder, part, limit, inCluster ? await PostgresServer.StartNewAsync() : null);
        return await Parts.StartAsync(whip, _ => whip.StartAsync(new CertificateFiles(whip._programs.Folder, tls), cancellationToken));
    }

    /// <summary>How many files are open beyond <paramref name="before"/>, once they are closed or are given up for.</summary>
    public async Task<int> LeftAsync(int before, int allowed, CancellationToken cancellationToken)
    {
        await Polling.UntilAsync(() => OpenFiles <= before + allowed, BackTimeout, BackInterval, cancellationToken);
        return Math.Max(0, OpenFiles - before);
    }

    public async ValueTask DisposeAsync()
    {
        await _programs.DisposeAsync();
        await Service.DisposeAsync();
        await (_postgres?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private async Task StartAsync(CertificateFiles certificates, CancellationToken cancellationToken)
    {
        string[] listen = ["--grpc-listen", "127.0.0.1:0", "--tcp-listen", "127.0.0.1:0", "--dial-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
        string[] common = ["--metrics-listen", "127.0.0.1:0", "--drain-timeout", "1s"];
        var identity = _postgres is null ? certificates.Broker() : certificates.Member(ClusterId, BrokerId);
        string[] cluster = _postgres is null ? [] : await ClusterFlagsAsync(_postgres);
        var broker = await StartAsync(
            LimitedPart.Broker, "whip-broker", [.. listen, .. common, .. cluster, .. Certificates.Flags(identity)], cancellationToken);
        var name = $"{Hostname}.{Certificates.Domain}";
        string[] publish = ["--hostname", Hostname, "--domain", Certificates.Domain, "--ports", $"{Service.Port}", $"{broker.Addresses["grpc"]}"];
        await StartAsync(LimitedPart.Agent, "whip-agent", [.. publish, .. common, .. Certificates.Flags(certificates.Client(name))], cancellationToken);
        var dialer = certificates.Client($"dialer.{Certificates.Domain}");
        string[] forward = ["--broker", $"{broker.Addresses["dial"]}", "--proxy-listen-port", "0"];
        var proxy = await StartAsync(LimitedPart.Proxy, "whip-proxy", [.. forward, .. common, .. Certificates.Flags(dialer)], cancellationToken);

        var request = new ConnectRequest(DialTarget.Of(name, Service.Port));
        Identity = dialer.Enabled ? TlsIdentity.Load(dialer) : null;
        var first = new RawDialer(broker.Addresses["dial"], Identity, request with { Wait = RegistrationTimeout });
        (await first.AskAsync(RegistrationTimeout, cancellationToken)).Abort();
        Dialer = _part == LimitedPart.Proxy
            ? new RawDialer(proxy.Addresses["proxy"], identity: null, request)
            : new RawDialer(broker.Addresses["dial"], Identity, request);
    }

    private static async Task<string[]> ClusterFlagsAsync(PostgresServer postgres) =>
    [
        "--cluster", "orleans", "--cluster-id", ClusterId, "--broker-id", BrokerId, "--postgres", await postgres.CreateDatabaseAsync(),
        "--silo-listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0", "--drain-delay", "0s",
    ];

    private async Task<WhipProcess> StartAsync(LimitedPart part, string program, string[] args, CancellationToken cancellationToken)
    {
        var started = _programs.Start(program, program, args, part == _part ? _limit : null);
        await started.ReadyAsync(cancellationToken);
        _started.Add(started);
        Limited = part == _part ? started : Limited;
        return started;
    }
}
