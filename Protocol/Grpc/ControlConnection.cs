using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Protocol.Grpc;

/// <summary>The one connection of a <see cref="ControlCall{TRequest, TResponse}"/>: to the pinned address, once, unless the call is cancelled before.</summary>
internal sealed class ControlConnection(ControlCallOptions options, CancellationToken cancelled)
{
    private const int MaxResponseHeadersKiB = 16;
    private int _connects;

    public PeerIdentity? Peer { get; private set; }

    public SocketsHttpHandler CreateHandler() => new()
    {
        ConnectCallback = ConnectAsync,
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

        // The handler goes on connecting for a request that was cancelled.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancelled, cancellationToken);
        var socket = new Socket(options.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        LegSocketOptions.Apply(socket);
        try
        {
            await socket.ConnectAsync(options.Address, either.Token).ConfigureAwait(false);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        var stream = new NetworkStream(socket, ownsSocket: true);
        return options.Tls is null ? stream : await AuthenticateAsync(stream, options.Tls, context, either.Token).ConfigureAwait(false);
    }

    private async Task<Stream> AuthenticateAsync(
        NetworkStream stream, TlsIdentity identity, SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var holder = new PeerVerdictHolder();
        var tls = new SslStream(stream);
        try
        {
            var uri = context.InitialRequestMessage.RequestUri!;
            var tlsOptions = identity.ClientOptions(uri.IdnHost, uri.Port, holder);
            tlsOptions.ApplicationProtocols = [SslApplicationProtocol.Http2];
            await tls.AuthenticateAsClientAsync(tlsOptions, cancellationToken).ConfigureAwait(false);
            Peer = holder.Verdict?.Identity ?? throw new AuthenticationException("the broker's certificate was not judged");
            return tls;
        }
        catch (Exception exception)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            if (exception is not (AuthenticationException or IOException))
            {
                throw;
            }

            var code = holder.Verdict is { IsTrusted: false } ? GrpcStatusCode.Unauthenticated
                : HandshakeProblem.IsAlert(exception) ? GrpcStatusCode.PermissionDenied
                : GrpcStatusCode.Unavailable;
            throw new GrpcStatusException(new GrpcStatus(code, HandshakeProblem.Describe(holder, exception)), exception);
        }
    }
}
