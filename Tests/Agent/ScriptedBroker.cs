using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Broker.Listening;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;
using Whip.Tests.Broker.Listening;

namespace Whip.Tests.Agent;

/// <summary>A broker whose every message is the test's: real sockets, no judgement.</summary>
internal sealed class ScriptedBroker : IAsyncDisposable
{
    private readonly RecordingService _service = new();
    private readonly TcpListener _legs = new(IPAddress.Loopback, 0);
    private readonly TlsIdentity? _identity;
    private readonly List<ScriptedStream> _streams = [];
    private ControlListener? _server;

    private ScriptedBroker(TlsIdentity? identity)
    {
        _identity = identity;
        _legs.Start();
    }

    public IPEndPoint Grpc => _server!.LocalEndPoint;

    public int LegPort => ((IPEndPoint)_legs.LocalEndpoint).Port;

    public static async Task<ScriptedBroker> StartAsync(IPEndPoint listen, TlsIdentity? identity)
    {
        var broker = new ScriptedBroker(identity);
        var gate = new UnauthenticatedGate(1000, Descriptors.Many);
        broker._server = await ControlHost.ListenAsync(listen, identity, gate, broker._service, NullLoggerFactory.Instance);
        return broker;
    }

    /// <summary>Whether a call waits for <see cref="NextStreamAsync"/>.</summary>
    public bool HasCall() => _service.HasNext;

    /// <summary>The next stream, with its Register read and nothing answered yet.</summary>
    public async Task<ScriptedStream> NextStreamAsync()
    {
        var call = await _service.NextAsync().WaitAsync(Patience.Long);
        var stream = new ScriptedStream(call, this, (await call.ReadAsync())!.Register);
        _streams.Add(stream);
        return stream;
    }

    /// <summary>Calls may have come, but none has registered.</summary>
    public async Task AssertNothingSentAsync()
    {
        while (HasCall())
        {
            var call = await _service.NextAsync();
            try
            {
                Assert.Null(await call.ReadAsync());
            }
            catch (Exception e) when (e is OperationCanceledException or RpcException)
            {
            }
        }
    }

    /// <summary>The next stream, answered as a broker of ours does.</summary>
    public async Task<ScriptedStream> RegisterAsync(string brokerId = "broker-1")
    {
        var stream = await NextStreamAsync();
        await stream.AcceptAsync(brokerId, $"127.0.0.1:{LegPort}");
        return stream;
    }

    /// <summary>The leg of one Connect, past its preamble.</summary>
    public async Task<Leg> AcceptLegAsync(string connectionId)
    {
        var leg = new Leg(await _legs.AcceptSocketAsync().WaitAsync(Patience.Long));
        if (_identity is not null)
        {
            await leg.AuthenticateAsServerAsync(_identity, PeerRole.Client, default).WaitAsync(Patience.Long);
        }

        var preamble = await LegPreamble.ReadAsync(leg, default).AsTask().WaitAsync(Patience.Long);
        Assert.Equal(connectionId, preamble.ConnectionId);
        return leg;
    }

    public bool HasPendingLeg() => _legs.Pending();

    public async ValueTask DisposeAsync()
    {
        foreach (var stream in _streams)
        {
            stream.End(Status.DefaultSuccess);
        }

        _service.Stop();
        _legs.Stop();
        await _server!.DisposeAsync();
    }
}
