using System.Text;
using Whip.Protocol.Connect;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Bench.Scenarios;

/// <summary>A broker and an agent in this network, an agent in a <see cref="FarNetwork"/>, as processes, and one service behind both agents, here.</summary>
internal sealed class SplitWhip : IAsyncDisposable
{
    private static readonly TimeSpan RegistrationTimeout = TimeSpan.FromSeconds(30);

    private readonly WhipProcesses _programs;
    private WhipTlsOptions _dialer = new() { Enabled = false };
    private TlsIdentity? _identity;

    private SplitWhip(string programFolder) => _programs = new WhipProcesses(programFolder);

    public VanishingService Service { get; } = new();

    public WhipProcess Broker { get; private set; } = null!;

    public WhipProcess FarAgent { get; private set; } = null!;

    public static Task<SplitWhip> StartAsync(ClusterSetup setup, FarNetwork far, CancellationToken cancellationToken) =>
        Parts.StartAsync(new SplitWhip(setup.ProgramFolder), whip => whip.StartAsync(setup.Tls, far, cancellationToken));

    /// <summary>Starts a <c>whip connect</c> to the near agent, and names the relay to the service.</summary>
    public Process Connect(char relay, IEnumerable<string>? through)
    {
        string[] dial = ["connect", $"{NameOf(isFar: false)}:{Service.Port}", "--broker", $"{Broker.Addresses["dial"]}"];
        var connect = _programs.StartPiped("whip", [.. dial, "--wait", "20s", .. Certificates.Flags(_dialer)], through);
        connect.StandardInput.Write(relay);
        connect.StandardInput.Flush();
        return connect;
    }

    /// <summary>Dials from here: the near agent for a relay whose name is a small letter, else the far one; and names the relay to the service.</summary>
    /// <exception cref="DialFailedException">The dial failed.</exception>
    public async Task<Leg> DialAsync(char relay, TimeSpan limit, CancellationToken cancellationToken)
    {
        var request = new ConnectRequest(DialTarget.Of(NameOf(char.IsUpper(relay)), Service.Port)) { Wait = RegistrationTimeout };
        var leg = await new RawDialer(Broker.Addresses["dial"], _identity, request).DialAsync(limit, cancellationToken);
        await leg.WriteAsync(Encoding.ASCII.GetBytes($"{relay}"), cancellationToken);
        return leg;
    }

    public async ValueTask DisposeAsync()
    {
        await _programs.DisposeAsync();
        await Service.DisposeAsync();
    }

    private static string NameOf(bool isFar) => $"{(isFar ? "far" : "near")}.{Certificates.Domain}";

    private async Task StartAsync(bool tls, FarNetwork far, CancellationToken cancellationToken)
    {
        var certificates = new CertificateFiles(_programs.Folder, tls);
        _dialer = certificates.Client($"dialer.{Certificates.Domain}");
        _identity = _dialer.Enabled ? TlsIdentity.Load(_dialer) : null;
        var any = $"{FarNetwork.Near}:0";
        string[] listen = ["--grpc-listen", any, "--tcp-listen", any, "--dial-listen", any, "--admin-listen", ""];
        string[] common = ["--metrics-listen", "", "--drain-timeout", "1s", "--log-level", "debug"];
        string[] broker = [.. listen, .. common, .. Certificates.Flags(certificates.Broker(FarNetwork.Near))];
        Broker = await _programs.StartAsync("broker", "whip-broker", broker, cancellationToken);
        await StartAgentAsync(through: null);
        FarAgent = await StartAgentAsync(far.Through);

        async Task<WhipProcess> StartAgentAsync(IEnumerable<string>? through)
        {
            var name = NameOf(isFar: through is not null);
            string[] publish = ["--hostname", name.Split('.')[0], "--domain", Certificates.Domain, "--ports", $"{Service.Port}"];
            string[] to = ["--target-host", through is null ? "127.0.0.1" : $"{FarNetwork.Near}", $"{Broker.Addresses["grpc"]}"];
            string[] args = [.. publish, .. common, .. Certificates.Flags(certificates.Client(name)), .. to];
            var agent = _programs.Start(name, "whip-agent", args, through: through);
            await agent.ReadyAsync(cancellationToken);
            return agent;
        }
    }
}
