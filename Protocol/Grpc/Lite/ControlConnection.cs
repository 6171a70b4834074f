using System.Net;
using System.Net.Sockets;
using Whip.Protocol.Tls;

namespace Whip.Protocol.Grpc;

/// <summary>The one connection of a <see cref="ControlCall"/>: to the pinned address, once.</summary>
internal sealed class ControlConnection(ControlCallOptions options)
{
    private const int MaxResponseHeadersKiB = 16;
    private int _connects;

    public PeerIdentity? Peer { get; private set; }

    public SocketsHttpHandler CreateHandler() => new()
    {
        ConnectCallback = ConnectAsync,
        ConnectTimeout = options.ConnectTimeout,
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        MaxResponseHeadersLength = MaxResponseHeadersKiB,
        InitialHttp2StreamWindowSize = 2 * GrpcWire.MaxMessageSize,
        PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
        PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
    };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _connects) > 1)
        {
            throw CallFailure.Unavailable("the connection was lost");
        }

        var socket = new Socket(options.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(options.Address, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
