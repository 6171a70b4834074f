using System.Net;
using Whip.Bench.Measuring;
using Whip.Protocol.Connect;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Bench.Fuzz;

/// <summary>A broker, an agent and a proxy as processes. Behind the agent are two services in this process; one of them checks what it reads.</summary>
internal sealed class FuzzWhip : IAsyncDisposable
{
    /// <summary>Of <see cref="SocksWithPassword"/>.</summary>
    public const string SocksPassword = "secret";

    private const string Hostname = "instance1";
    private const string BesiegedHostname = "instance2";

    private static readonly TimeSpan RegistrationTimeout = TimeSpan.FromSeconds(30);

    private readonly WhipProcesses _programs;
    private readonly CheckingService _checking = new();
    private HonestPeer? _honest;

    private PostgresServer? _postgres;

    private FuzzWhip(string programFolder, FuzzTarget target) =>
        (_programs, IsTls, Setup) = (new WhipProcesses(programFolder, MemoryMeasurement.Environment), target.IsTls, target.Setup);

    public bool IsTls { get; }

    public FuzzSetup Setup { get; }

    /// <summary>How often <see cref="CheckAsync"/> was called.</summary>
    public int Checks { get; private set; }

    public FuzzService Service { get; } = new();

    public WhipProcess Broker { get; private set; } = null!;

    public WhipProcess Agent { get; private set; } = null!;

    public WhipProcess Proxy { get; private set; } = null!;

    /// <summary>Another proxy, whose broker is <see cref="Service"/>.</summary>
    public WhipProcess Dialer { get; private set; } = null!;

    /// <summary>With <see cref="FuzzSetup.HostileBroker"/>: what the agent <see cref="Besieged"/> has as brokers beside <see cref="Broker"/>.</summary>
    public FuzzBroker? HostileBroker { get; private set; }

    public WhipProcess? Besieged { get; private set; }

    /// <summary>With <see cref="FuzzSetup.Socks"/>.</summary>
    public WhipProcess? Socks { get; private set; }

    public WhipProcess? SocksWithPassword { get; private set; }

    public IReadOnlyList<WhipProcess> Programs => [.. new[] { Broker, Agent, Proxy, Dialer, Besieged, Socks, SocksWithPassword }.OfType<WhipProcess>()];

    /// <summary>Where strangers can connect.</summary>
    public IReadOnlyList<IPEndPoint> Listeners => [.. Programs.SelectMany(program => program.Addresses.Values)];

    /// <summary>The listeners of people, probes and Prometheus.</summary>
    public IReadOnlyList<IPEndPoint> Pages => [.. Programs.Select(program => program.Addresses["metrics"]), Broker.Addresses["admin"]];

    public HttpCorpus Http { get; private set; } = null!;

    public static Task<FuzzWhip> StartAsync(string programFolder, FuzzTarget target, CancellationToken cancellationToken) =>
        Parts.StartAsync(new FuzzWhip(programFolder, target), whip => whip.StartAsync(cancellationToken));

    /// <summary>The programs live, have logged no error and serve honest peers.</summary>
    /// <param name="after">What came before, for the message.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="PartFailedException">One of it is not so.</exception>
    public async Task CheckAsync(string after, CancellationToken cancellationToken)
    {
        Checks++;
        var problem = await _honest!.TryAllAsync(cancellationToken);
        var culprit = problem is null ? Broker : await _programs.FindCulpritAsync(Broker);
        foreach (var program in Programs)
        {
            if (program.Ended.IsCompleted)
            {
                throw program.Failed($"ended with exit code {await program.Ended} {after}");
            }

            if (program.UndeclaredErrors is [var error, ..])
            {
                throw program.Failed($"logged an error {after}: {error}");
            }
        }

        if (problem is not null)
        {
            throw culprit.Failed($"{problem} {after}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _honest?.Dispose();
        await _programs.DisposeAsync();
        await (HostileBroker?.DisposeAsync() ?? ValueTask.CompletedTask);
        await Service.DisposeAsync();
        await _checking.DisposeAsync();
        await (_postgres?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        var certificates = new CertificateFiles(_programs.Folder, IsTls);
        string[] listen = ["--grpc-listen", "127.0.0.1:0", "--tcp-listen", "127.0.0.1:0", "--dial-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
        string[] common = ["--metrics-listen", "127.0.0.1:0", "--drain-timeout", "1s"];
        var broker = certificates.Broker();
        string[] cluster = [];
        if (Setup == FuzzSetup.Cluster)
        {
            _postgres = await PostgresServer.StartNewAsync();
            cluster = ["--cluster", "orleans", "--broker-id", "b1", "--silo-listen", "127.0.0.1:0", "--postgres", await _postgres.CreateDatabaseAsync()];
        }

        Broker = await _programs.StartAsync("broker", "whip-broker", [.. listen, .. cluster, .. common, .. Certificates.Flags(broker)], cancellationToken);

        var any = certificates.Client($"*.{Certificates.Domain}");
        string[] flags = [.. common, .. Certificates.Flags(any)];
        Agent = await StartAgentAsync("agent", Hostname, flags, [Broker.Addresses["grpc"]], cancellationToken);

        string[] timeouts = ["--request-body-timeout", "5s", "--answer-timeout", "5s", "--answer-idle-timeout", "5s"];
        string[] forward = ["--broker", $"{Broker.Addresses["dial"]}", "--proxy-listen-port", "0", .. timeouts];
        string[] front = IsTls ? ["--proxy-tls", "--proxy-tls-cert-path", broker.CertPath!, "--proxy-tls-key-path", broker.KeyPath!] : [];
        Proxy = await _programs.StartAsync("proxy", "whip-proxy", [.. forward, .. front, .. flags], cancellationToken);

        string[] dial = ["--broker", $"127.0.0.1:{Service.Port}", "--proxy-listen-port", "0", .. timeouts];
        Dialer = await _programs.StartAsync("dialer", "whip-proxy", [.. dial, .. flags], cancellationToken);
        await StartMoreAsync(flags, cancellationToken);

        var name = NameOf(Hostname);
        Http = new HttpCorpus(name, Service.Port);
        var identity = IsTls ? TlsIdentity.Load(any) : null;
        var names = Besieged is null ? [name] : new[] { name, NameOf(BesiegedHostname) };
        _honest = new HonestPeer(this, identity, [.. names.Select(each => DialTarget.Of(each, _checking.Port))], $"{name}:{Service.Port}");
        foreach (var each in names)
        {
            var first = new ConnectRequest(DialTarget.Of(each, _checking.Port)) { Wait = RegistrationTimeout };
            (await new RawDialer(Broker.Addresses["dial"], identity, first).AskAsync(RegistrationTimeout, cancellationToken)).Abort();
        }
    }

    private async Task StartMoreAsync(string[] flags, CancellationToken cancellationToken)
    {
        if (Setup == FuzzSetup.HostileBroker)
        {
            HostileBroker = new FuzzBroker(Broker.Addresses["grpc"], Service.Port);
            IEnumerable<IPEndPoint> brokers = [Broker.Addresses["grpc"], .. HostileBroker.Addresses];
            Besieged = await StartAgentAsync("besieged", BesiegedHostname, ["--homes", "all", .. flags], brokers, cancellationToken);
        }
        else if (Setup == FuzzSetup.Socks)
        {
            string[] dial = ["socks", "127.0.0.1:0", "--broker", $"{Broker.Addresses["dial"]}", .. flags];
            Socks = await _programs.StartAsync("socks", "whip", dial, cancellationToken);
            SocksWithPassword = await _programs.StartAsync("socks-password", "whip", [.. dial, "--socks-password", SocksPassword], cancellationToken);
        }
    }

    private Task<WhipProcess> StartAgentAsync(
        string part, string hostname, IEnumerable<string> flags, IEnumerable<IPEndPoint> brokers, CancellationToken cancellationToken)
    {
        string[] publish = ["--hostname", hostname, "--domain", Certificates.Domain, "--ports", $"{Service.Port},{_checking.Port}"];
        return _programs.StartAsync(part, "whip-agent", [.. publish, .. flags, .. brokers.Select(broker => $"{broker}")], cancellationToken);
    }

    private static string NameOf(string hostname) => $"{hostname}.{Certificates.Domain}";
}
