using Whip.Harness;
using Whip.Harness.Checking;
using Whip.Harness.Programs;
using Whip.Protocol.Connect;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Bench.Measuring;

/// <summary>What is measured: one broker and one agent as processes, and behind the agent a service inside this one.</summary>
internal sealed class MeasuredWhip : IAsyncDisposable
{
    private const string Hostname = "instance1";

    private static readonly TimeSpan RegistrationTimeout = TimeSpan.FromSeconds(20);

    private readonly WhipProcesses _programs;
    private readonly bool _tls;

    private MeasuredWhip(WhipProcesses programs, bool tls) => (_programs, _tls) = (programs, tls);

    public CheckingService Service { get; } = new();

    public WhipProcess Broker { get; private set; } = null!;

    public WhipProcess Agent { get; private set; } = null!;

    public RawDialer Dialer { get; private set; } = null!;

    /// <summary>Of any host of the domain, for an agent inside this process.</summary>
    public WhipTlsOptions AnyAgent { get; private set; } = null!;

    public static async Task<MeasuredWhip> StartAsync(WhipProcesses programs, bool tls, CancellationToken cancellationToken)
    {
        var whip = new MeasuredWhip(programs, tls);
        try
        {
            await whip.StartAsync(cancellationToken);
            return whip;
        }
        catch (Exception)
        {
            await whip.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _programs.DisposeAsync();
        await Service.DisposeAsync();
    }

    /// <summary>Fails with the log of a program that has ended, if one has; else with <paramref name="problem"/> and the broker's log.</summary>
    public async Task<PartFailedException> FailedAsync(string problem) => (await _programs.FindCulpritAsync(Broker)).Failed(problem);

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        var certificates = new CertificateFiles(_programs.Folder, _tls);
        AnyAgent = certificates.Client($"*.{Certificates.Domain}");
        var dialer = certificates.Client($"dialer.{Certificates.Domain}");
        string[] listen = ["--grpc-listen", "127.0.0.1:0", "--tcp-listen", "127.0.0.1:0", "--dial-listen", "127.0.0.1:0", "--metrics-listen", "", "--admin-listen", ""];
        string[] stop = ["--drain-timeout", "1s"];
        Broker = await _programs.StartAsync("broker", "whip-broker", [.. listen, .. stop, .. Certificates.Flags(certificates.Broker())], cancellationToken);
        string[] publish = ["--hostname", Hostname, "--domain", Certificates.Domain, "--ports", $"{Service.Port}", $"{Broker.Addresses["grpc"]}"];
        Agent = await _programs.StartAsync("agent", "whip-agent", [.. publish, .. stop, .. Certificates.Flags(AnyAgent)], cancellationToken);
        var front = Broker.Addresses["dial"];
        var identity = dialer.Enabled ? TlsIdentity.Load(dialer) : null;
        var request = new ConnectRequest(DialTarget.Of($"{Hostname}.{Certificates.Domain}", Service.Port));
        Dialer = new RawDialer(front, identity, request);
        try
        {
            // The first dial finds an agent that has only just started.
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(RegistrationTimeout);
            (await new RawDialer(front, identity, request with { Wait = RegistrationTimeout }).AskAsync(deadline.Token)).Abort();
        }
        catch (DialFailedException failure)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw await FailedAsync($"the first dial failed: {failure.Message}");
        }
    }
}
