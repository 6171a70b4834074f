using System.Net;
using Whip.Client;
using Whip.Protocol.Tls;

namespace Whip.Bench.Kept;

/// <summary>
/// Two brokers of one cluster and an agent at one of them, as processes. The dialer and the service are in this process, and so is a
/// <see cref="CuttingHop"/> before each dial front and rendezvous.
/// </summary>
internal sealed class KeptWhip : IAsyncDisposable
{
    private const string Hostname = "instance1";
    private const string Name = $"{Hostname}.{Certificates.Domain}";

    private static readonly string[] Ids = ["broker1", "broker2"];

    private readonly LocalCluster _cluster;
    private readonly KeptService _service;
    private readonly CuttingHop[] _dialHops;
    private readonly CuttingHop[] _legHops;
    private WhipProcess? _agent;

    private KeptWhip(LocalCluster cluster, KeptTally tally)
    {
        _cluster = cluster;
        _service = new KeptService(tally, KeptDials.Workers);
        _dialHops = [.. Ids.Select(_ => new CuttingHop(tally, FindDial, carriesLegs: false))];
        _legHops = [.. Ids.Select(_ => new CuttingHop(tally, FindDial, carriesLegs: true))];

        KeptDial? FindDial(int port) => tally.Present(_service.Worker(port));
    }

    public KeptService Service => _service;

    /// <summary>On the way of the dials: dialer and ingress, ingress and holder, holder and agent.</summary>
    public IReadOnlyList<CuttingHop> Hops { get; private set; } = [];

    public IReadOnlyList<LocalBroker> Brokers => _cluster.Brokers;

    public IEnumerable<(string Name, int Id)> Processes =>
        [.. Brokers.Select(broker => (broker.Id, broker.Program.Id)), ("agent", _agent!.Id), ("whip-bench", Environment.ProcessId)];

    /// <exception cref="PartFailedException">A part does not start.</exception>
    public static async Task<KeptWhip> StartAsync(ClusterSetup setup, KeptTally tally, CancellationToken cancellationToken)
    {
        var whip = new KeptWhip(await LocalCluster.StartAsync(setup with { BrokerCount = 0 }, cancellationToken), tally);
        return await Parts.StartAsync(whip, _ => whip.StartAsync(cancellationToken));
    }

    public KeptDials CreateDials(KeptTally tally)
    {
        var dialer = new WhipDialer(new WhipDialerOptions { Brokers = [$"{Hops[0].Address}"], FollowRedirects = false, Tls = _cluster.Dialer });
        return new KeptDials(tally, dialer, Name, _service);
    }

    /// <summary>Ends every connection on the way of the dials.</summary>
    public Task EndConnectionsAsync() => Task.WhenAll(Hops.Select(hop => hop.EndAllAsync()));

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await Task.WhenAll(_dialHops.Concat(_legHops).Select(hop => hop.DisposeAsync().AsTask()));
        await _service.DisposeAsync();
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < Ids.Length; i++)
        {
            // What others are told of the broker are the hops before it.
            string[] external = ["--external-dial", $"{_dialHops[i].Address}", "--external-tcp", $"{_legHops[i].Address}"];
            var broker = _cluster.CreateBroker(Ids[i], external);
            _cluster.Use(broker);
            Start(_dialHops[i], Ids[i], broker.Dial);
            Start(_legHops[i], Ids[i], broker.Tcp);
        }

        await Task.WhenAll(Brokers.Select(broker => broker.StartAsync(cancellationToken)));
        var any = _cluster.CertificateFiles.Client($"*.{Certificates.Domain}");
        var holder = Array.IndexOf(Ids, _cluster.HomeOf(Name).Id);
        string[] publish = ["--hostname", Hostname, "--domain", Certificates.Domain, "--ports", string.Join(',', _service.Ports), "--homes", "1"];
        _agent = await _cluster.Programs.StartAsync(
            "agent", "whip-agent", [.. publish, $"{Brokers[holder].Grpc}", .. Certificates.Flags(any)], cancellationToken);
        Hops = [_dialHops[1 - holder], _dialHops[holder], _legHops[holder]];
        Hops[1].ClientIdentity = Load(_cluster.CertificateFiles.Member(LocalCluster.ClusterId, Ids[1 - holder]));
        Hops[2].ClientIdentity = Load(any);
        foreach (var broker in Brokers)
        {
            // Until each has a way to the agent.
            (await _cluster.DialAsync(broker, Name, _service.Port(0, isRefused: false), cancellationToken)).Abort();
        }

        for (var i = 0; i < Hops.Count; i++)
        {
            Hops[i].Number = i + 1;
        }
    }

    private void Start(CuttingHop hop, string brokerId, IPEndPoint target)
    {
        hop.Target = target;
        hop.ServerIdentity = Load(_cluster.CertificateFiles.Member(LocalCluster.ClusterId, brokerId));
        hop.ClientIdentity = Load(_cluster.Dialer);
        hop.Start();
    }

    private static TlsIdentity? Load(WhipTlsOptions files) => files.Enabled ? TlsIdentity.Load(files) : null;
}
