using System.Net;
using Grpc.Core;
using Whip.Broker.Listening;
using Whip.Broker.Peers;
using Whip.Hosting;
using Whip.Hosting.Listening;
using Whip.Hosting.Metrics;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;
using Whip.Registry;
using Whip.Registry.Membership;
using Whip.Registry.Peers;
using Whip.Registry.Routes;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Broker.Peers;

/// <summary>What a broker has to do with its peers: a control listener that answers, and links of its own. No agents, no dials.</summary>
internal sealed class PeerBroker : WhipPeers.WhipPeersBase, IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly FakeMembership _membership = new();
    private readonly PeerService _service;
    private ControlListener? _server;
    private IPEndPoint _listen = new(IPAddress.Loopback, 0);
    private CancellationTokenSource _stopListening = new();
    private Task _running = Task.CompletedTask;

    public PeerBroker(string id, bool tls, string? secret = null, string clusterId = "c1", TlsIdentity? identity = null)
    {
        Id = id;
        Tls = tls ? identity ?? TestCertificates.Shared.MemberIdentity(clusterId, id) : null;
        Credentials = new ClusterCredentials(clusterId, id, Tls, secret);
        _service = new PeerService(Credentials, Routes, Logs.CreateLogger("peers"), TimeProvider.System);
        Links = new PeerLinks(Credentials, new MetricFactory(), Logs.CreateLogger("peers"), TimeProvider.System);
    }

    public string Id { get; }

    public TlsIdentity? Tls { get; }

    public CapturedLogs Logs { get; } = new();

    public ClusterCredentials Credentials { get; }

    public LocalRoutes Routes { get; } = new(maxWatchesPerName: 2);

    public UnauthenticatedGate Gate { get; } = new(1000);

    public PeerLinks Links { get; }

    /// <summary>While set, a link is read and never answered.</summary>
    public bool IsFrozen { get; set; }

    public string Address => $"127.0.0.1:{_listen.Port}";

    public BrokerMember Member => new() { Id = Id, Incarnation = 1, ExternalGrpc = Address, ExternalTcp = "127.0.0.1:1", ExternalDial = "127.0.0.1:2" };

    /// <summary>Brokers that listen and know of one another.</summary>
    public static async Task ClusterAsync(params PeerBroker[] brokers)
    {
        foreach (var broker in brokers)
        {
            await broker.ListenAsync();
        }

        foreach (var broker in brokers)
        {
            broker.Know(brokers.Select(other => other.Member));
        }
    }

    /// <summary>Tells who is in the cluster.</summary>
    public void Know(params IEnumerable<BrokerMember> members)
    {
        _membership.Set(members);
        if (_running.IsCompleted)
        {
            _running = Links.RunAsync(_membership, _stop.Token);
        }
    }

    /// <summary>Listens, after a stop at the same address.</summary>
    public async Task ListenAsync()
    {
        _stopListening = new CancellationTokenSource();
        var limits = new WhipLimits();
        var admission = new ConnectionAdmission(Tls, Gate, limits, onRejected: null, Logs.CreateLogger("admission"), TimeProvider.System);
        _server = await ControlListener.StartAsync(_listen, admission, [WhipPeers.BindService(this)], limits, Logs, TimeProvider.System, default).WaitAsync(Patience.Long);
        _listen = _server.LocalEndPoint;
    }

    public async Task StopListeningAsync()
    {
        await _stopListening.CancelAsync();
        await _server!.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        _server = null;
    }

    public Peer PeerOf(PeerBroker other) => Links.All.Single(peer => peer.Id == other.Id);

    public Task LinkedAsync(PeerBroker other) => Patience.UntilAsync(
        () => Links.All.Any(peer => peer.Id == other.Id && peer is { IsLinked: true, IsSuspect: false }), $"{Id} is linked to {other.Id}");

    public StreamRoute Hold(string name, params int[] ports)
    {
        Assert.True(InstanceName.TryParse(name, out var instance));
        var route = new StreamRoute { StreamId = Guid.NewGuid().ToString("N"), BrokerId = Id, Name = instance, Ports = ports };
        Routes.Add(route);
        return route;
    }

    /// <summary>One question, which the other has half a second to answer.</summary>
    public Task<NameReport?> TryAskAsync(PeerBroker other, string name, int port) =>
        Links.LookupAsync(other.Id, new NameQuery(name, port), default).WaitAsync(Patience.Long);

    /// <summary>What a broker that lives answers; asked again where a busy machine was too slow.</summary>
    public async Task<NameReport> AskAsync(PeerBroker other, string name, int port)
    {
        NameReport? report = null;
        await Patience.UntilAsync(async () => (report = await TryAskAsync(other, name, port)) is not null, $"an answer of {other.Id}");
        return report!;
    }

    /// <summary>A call to this broker, past its connection only.</summary>
    public Task<ControlCall<PeerRequest, PeerReply>> CallAsync(TlsIdentity? identity) => ControlCall<PeerRequest, PeerReply>.OpenAsync(
        GrpcMethods.Link, new ControlCallOptions(_listen, Address, identity, Patience.Long), default);

    public override async Task Link(IAsyncStreamReader<PeerRequest> requestStream, IServerStreamWriter<PeerReply> responseStream, ServerCallContext context)
    {
        await context.WriteResponseHeadersAsync(Metadata.Empty);
        var stream = new FreezableStream(new PeerStream(requestStream, responseStream, context), () => IsFrozen);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, _stopListening.Token);
        try
        {
            var status = await _service.LinkAsync(stream, over.Token);
            context.Status = new Status((StatusCode)status.Code, status.Message);
        }
        catch (OperationCanceledException)
        {
            context.Status = new Status(StatusCode.Unavailable, "gone");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Patience.Long);
        Assert.Empty(Links.All);
        if (_server is not null)
        {
            await StopListeningAsync();
        }

        Logs.Dispose();
    }
}
