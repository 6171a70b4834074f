using Whip.Client;
using Whip.Protocol;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Bench.Measuring;

/// <summary>The system to be measured: one broker and one agent as processes, and behind the agent a service.</summary>
/// <param name="programs">Where they are started; disposed with this.</param>
/// <param name="servicePort">Of a service elsewhere, and the programs then tell their metrics; null: it is in this process.</param>
internal sealed class MeasuredWhip(WhipProcesses programs, int? servicePort = null) : IAsyncDisposable
{
    private const string Hostname = "instance1";

    private static readonly TimeSpan RegistrationTimeout = TimeSpan.FromSeconds(20);

    private readonly CheckingService? _service = servicePort is null ? new() : null;

    /// <summary>The agent keeps its legs.</summary>
    public bool KeepsLegs { get; init; } = true;

    public CheckingService Service => _service ?? throw new InvalidOperationException("the service is elsewhere");

    public WhipProcess Broker { get; private set; } = null!;

    public WhipProcess Agent { get; private set; } = null!;

    public RawDialer Dialer { get; private set; } = null!;

    private int Port => servicePort ?? Service.Port;

    private WhipTlsOptions DialerTls { get; set; } = null!;

    /// <summary>A certificate for any host of the domain, for agents in this process.</summary>
    public WhipTlsOptions AnyAgent { get; private set; } = null!;

    public async ValueTask DisposeAsync()
    {
        await programs.DisposeAsync();
        await (_service?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    /// <summary>An exception with the log of the program that has ended, if one has; else with <paramref name="problem"/> and the broker's log.</summary>
    public async Task<PartFailedException> FailedAsync(string problem) => (await programs.FindCulpritAsync(Broker)).Failed(problem);

    public Func<Deadline, Task<WhipStream>> Dialing(MeasuredDialer dialer)
    {
        if (dialer == MeasuredDialer.Bare)
        {
            return async deadline => await Dialer.DialAsync(deadline);
        }

        var keep = dialer == MeasuredDialer.Kept;
        var library = new WhipDialer(new WhipDialerOptions { Brokers = [$"{Broker.Addresses["dial"]}"], Keep = keep, Tls = DialerTls });
        var request = new DialRequest($"{Hostname}.{Certificates.Domain}", Port);
        return async deadline =>
        {
            var result = await library.TryDialAsync(request with { Deadline = deadline.Remaining }, deadline.Token);
            return result.IsConnected ? result.Stream : throw new DialFailedException($"{result.Outcome}");
        };
    }

    /// <exception cref="DialFailedException">A first dial failed.</exception>
    public Task StartAsync(bool tls, CancellationToken cancellationToken) =>
        StartAsync(new CertificateFiles(programs.Folder, tls), KeepsLegs ? [] : ["--keep=false"], cancellationToken);

    /// <summary>The same with certificates that others have too.</summary>
    /// <param name="certificates">Of all parts.</param>
    /// <param name="agentFlags">More flags of the agent.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="DialFailedException">A first dial failed.</exception>
    public async Task StartAsync(CertificateFiles certificates, string[] agentFlags, CancellationToken cancellationToken)
    {
        string[] listen = ["--grpc-listen", "127.0.0.1:0", "--tcp-listen", "127.0.0.1:0", "--dial-listen", "127.0.0.1:0"];
        string[] common = ["--metrics-listen", servicePort is null ? "" : "127.0.0.1:0", "--drain-timeout", "1s"];
        string[] broker = [.. listen, "--admin-listen", "", .. common, .. Certificates.Flags(certificates.Broker())];
        Broker = await programs.StartAsync("broker", "whip-broker", broker, cancellationToken);

        AnyAgent = certificates.Client($"*.{Certificates.Domain}");
        string[] publish = ["--hostname", Hostname, "--domain", Certificates.Domain, "--ports", $"{Port}", $"{Broker.Addresses["grpc"]}"];
        Agent = await programs.StartAsync("agent", "whip-agent", [.. publish, .. common, .. agentFlags, .. Certificates.Flags(AnyAgent)], cancellationToken);

        var dialer = DialerTls = certificates.Client($"dialer.{Certificates.Domain}");
        var (front, identity) = (Broker.Addresses["dial"], dialer.Enabled ? TlsIdentity.Load(dialer) : null);
        var request = new ConnectRequest(DialTarget.Of($"{Hostname}.{Certificates.Domain}", Port));
        Dialer = new RawDialer(front, identity, request);

        // The agent has only just started.
        var first = new RawDialer(front, identity, request with { Wait = RegistrationTimeout });
        (await first.AskAsync(RegistrationTimeout, cancellationToken)).Abort();
    }
}

/// <summary>What dials.</summary>
internal enum MeasuredDialer
{
    /// <summary>Legs of the load generator, each for one dial: it costs the generator least.</summary>
    Bare,

    /// <summary>The dial library, each dial over a connection of its own.</summary>
    Fresh,

    /// <summary>The dial library, over connections that it keeps.</summary>
    Kept,
}
