using Whip.Client;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Bench.Measuring;

/// <summary>The system to be measured: one broker and one agent as processes, and behind the agent a service in this process.</summary>
internal sealed class MeasuredWhip(WhipProcesses programs) : IAsyncDisposable
{
    private const string Hostname = "instance1";

    private static readonly TimeSpan RegistrationTimeout = TimeSpan.FromSeconds(20);

    public CheckingService Service { get; } = new();

    public WhipProcess Broker { get; private set; } = null!;

    public WhipProcess Agent { get; private set; } = null!;

    public RawDialer Dialer { get; private set; } = null!;

    private WhipTlsOptions DialerTls { get; set; } = null!;

    /// <summary>A certificate for any host of the domain, for agents in this process.</summary>
    public WhipTlsOptions AnyAgent { get; private set; } = null!;

    public async ValueTask DisposeAsync()
    {
        await programs.DisposeAsync();
        await Service.DisposeAsync();
    }

    /// <summary>An exception with the log of the program that has ended, if one has; else with <paramref name="problem"/> and the broker's log.</summary>
    public async Task<PartFailedException> FailedAsync(string problem) => (await programs.FindCulpritAsync(Broker)).Failed(problem);

    /// <summary>What dials and checks the answer.</summary>
    public Func<TimeSpan, Task<WhipStream>> Asking(MeasuredDialer dialer)
    {
        if (dialer == MeasuredDialer.Bare)
        {
            return async limit => await Dialer.AskAsync(limit, CancellationToken.None);
        }

        var keep = dialer == MeasuredDialer.Kept;
        var library = new WhipDialer(new WhipDialerOptions { Brokers = [$"{Broker.Addresses["dial"]}"], Keep = keep, Tls = DialerTls });
        var request = new DialRequest($"{Hostname}.{Certificates.Domain}", Service.Port);
        return limit => AskAsync(library, request with { Deadline = limit });
    }

    /// <exception cref="DialFailedException">A first dial failed.</exception>
    public async Task StartAsync(bool tls, CancellationToken cancellationToken)
    {
        var certificates = new CertificateFiles(programs.Folder, tls);
        string[] listen = ["--grpc-listen", "127.0.0.1:0", "--tcp-listen", "127.0.0.1:0", "--dial-listen", "127.0.0.1:0"];
        string[] common = ["--metrics-listen", "", "--drain-timeout", "1s"];
        string[] broker = [.. listen, "--admin-listen", "", .. common, .. Certificates.Flags(certificates.Broker())];
        Broker = await programs.StartAsync("broker", "whip-broker", broker, cancellationToken);

        AnyAgent = certificates.Client($"*.{Certificates.Domain}");
        string[] publish = ["--hostname", Hostname, "--domain", Certificates.Domain, "--ports", $"{Service.Port}", $"{Broker.Addresses["grpc"]}"];
        Agent = await programs.StartAsync("agent", "whip-agent", [.. publish, .. common, .. Certificates.Flags(AnyAgent)], cancellationToken);

        var dialer = DialerTls = certificates.Client($"dialer.{Certificates.Domain}");
        var (front, identity) = (Broker.Addresses["dial"], dialer.Enabled ? TlsIdentity.Load(dialer) : null);
        var request = new ConnectRequest(DialTarget.Of($"{Hostname}.{Certificates.Domain}", Service.Port));
        Dialer = new RawDialer(front, identity, request);

        // The agent has only just started.
        var first = new RawDialer(front, identity, request with { Wait = RegistrationTimeout });
        (await first.AskAsync(RegistrationTimeout, cancellationToken)).Abort();
    }

    private static async Task<WhipStream> AskAsync(WhipDialer dialer, DialRequest request)
    {
        var result = await dialer.TryDialAsync(request);
        if (!result.IsConnected)
        {
            throw new DialFailedException($"{result.Outcome}");
        }

        try
        {
            using var limit = new CancellationTokenSource(request.Deadline);
            await Nonce.ExchangeAsync(result.Stream, limit.Token);
            return result.Stream;
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            result.Stream.Abort();
            throw new DialFailedException("no answer through the dial", error);
        }
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
