using System.Net;
using System.Net.Sockets;
using Whip.Client.Forwarding;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Tests.Proxy;

namespace Whip.Tests.Client.Forwarding;

/// <summary>A forwarder whose dials of <c>web.testdom:80</c> the test answers.</summary>
internal sealed class TestForwarder : IAsyncDisposable
{
    private readonly TcpListener _service = new(IPAddress.Loopback, 0);

    public TestForwarder(WhipForwarderOptions? options = null)
    {
        _service.Start();
        Dialer.Map("web.testdom:80", (IPEndPoint)_service.LocalEndpoint);
        Forwarder = new WhipForwarder(Dialer, options ?? new WhipForwarderOptions(), Logs, Time, null);
    }

    public static IPEndPoint FreePort => new(IPAddress.Loopback, 0);

    public FakeDialer Dialer { get; } = new();

    public CapturedLogs Logs { get; } = new();

    public FakeTimeProvider Time { get; } = new();

    public WhipForwarder Forwarder { get; }

    /// <summary>What the next dial has reached.</summary>
    public async Task<Leg> ServeAsync() => new(await _service.AcceptSocketAsync().WaitAsync(Patience.Long));

    /// <summary>A client of an address, and the service that it is joined to.</summary>
    public async Task<(Leg Client, Leg Service)> JoinAsync(EndPoint address)
    {
        var client = await ConnectAsync(address);
        return (client, await ServeAsync());
    }

    public static async Task<Leg> ConnectAsync(EndPoint address)
    {
        var isUnix = address is UnixDomainSocketEndPoint;
        var socket = new Socket(address.AddressFamily, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        await socket.ConnectAsync(address).WaitAsync(Patience.Long);
        return new Leg(socket);
    }

    /// <summary>A dial that ends only when it is cancelled.</summary>
    public Task<CancellationToken> HangAsync(string name)
    {
        var asked = new TaskCompletionSource<CancellationToken>(TaskCreationOptions.RunContinuationsAsynchronously);
        Dialer.Map(name, async cancellationToken =>
        {
            asked.TrySetResult(cancellationToken);
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return DialResult.Failed(DialOutcome.DeadlineExceeded, "");
        });
        return asked.Task.WaitAsync(Patience.Long);
    }

    public async ValueTask DisposeAsync()
    {
        await Forwarder.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        _service.Stop();
        Logs.Dispose();
    }
}
