using System.Net;
using Grpc.Core;
using Whip.Protocol.ControlStreams;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Tests.Support;

/// <summary>The caller's end of one control stream, with patience for every step.</summary>
internal sealed class ControlCall : IDisposable
{
    private readonly ControlConnection _connection;
    private readonly AsyncDuplexStreamingCall<RequestStream, ResponseStream> _call;

    private ControlCall(ControlConnection connection)
    {
        _connection = connection;
        _call = connection.Client.Register();
    }

    public PeerIdentity? Peer => _connection.Peer;

    /// <summary>Returns when the connection stands; the call is under way.</summary>
    public static async Task<ControlCall> OpenAsync(IPEndPoint address, TlsIdentity? identity, HostPort? broker = null, TimeProvider? time = null)
    {
        var opening = ControlConnection.OpenAsync(
            HostPort.Of(address), broker ?? HostPort.Of("localhost", address.Port), identity, time ?? TimeProvider.System, default);
        return new ControlCall(await opening.WaitAsync(Patience.Long));
    }

    public Task WriteAsync(RequestStream message) => _call.RequestStream.WriteAsync(message).WaitAsync(Patience.Long);

    /// <summary>The next message; null when the call ended with OK.</summary>
    /// <exception cref="RpcException">It ended otherwise.</exception>
    public Task<ResponseStream?> ReadAsync() => NextAsync().WaitAsync(Patience.Long);

    /// <summary>The same, however long it takes.</summary>
    public async Task<ResponseStream?> NextAsync() => await _call.ResponseStream.MoveNext() ? _call.ResponseStream.Current : null;

    /// <summary>Says that no more messages follow.</summary>
    public Task CompleteAsync() => _call.RequestStream.CompleteAsync();

    /// <summary>The status of a call that ends otherwise than with OK, past the messages before it.</summary>
    public async Task<Status> EndAsync()
    {
        var error = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await ReadAsync() is not null)
            {
            }
        });
        return error.Status;
    }

    /// <summary>Cancels the call if it is open, and closes its connection. Idempotent.</summary>
    public void Dispose()
    {
        _call.Dispose();
        _connection.Dispose();
    }
}
