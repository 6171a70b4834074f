using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Grpc.Core;
using Grpc.Net.Client;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;
using WhipService = Whip.Protocol.Messages.Whip;

namespace Whip.Protocol.ControlStreams;

/// <summary>The HTTP/2 connection of one control stream: to a pinned address, judged by our verifier, and never made a second time.</summary>
internal sealed class ControlConnection : IDisposable
{
    /// <summary>What a broker sends, with a time, that takes no agents at the moment; gRPC's own.</summary>
    public const string RetryTrailer = "grpc-retry-pushback-ms";

    /// <summary>The largest message an agent takes, in bytes.</summary>
    private const int MaxMessageSize = 64 * 1024;

    private const int MaxResponseHeadersKiB = 16;

    private const string EndedInHandshake = "the peer ended the connection during the TLS handshake; is this the gRPC port (--grpc-listen)? "
        + "The ports of metrics and admin, and those of a broker with --tls=false, speak no TLS";

    private const string NotGrpc = "this port speaks TLS, but not gRPC; agents register at the gRPC port of a broker (--grpc-listen)";

    // The alert of a listener that speaks none of the protocols that were offered, as versions of OpenSSL have it.
    private static readonly string[] NoProtocol = ["no application protocol", "reason(1120)"];

    private const int MaxProblem = 512;

    /// <summary>For TCP and TLS together.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private readonly GrpcChannel _channel;
    private Stream? _unused;

    private ControlConnection(Stream connected, Uri address, PeerIdentity? peer)
    {
        _unused = connected;
        Peer = peer;
        _channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = (_, _) => ValueTask.FromResult(Interlocked.Exchange(ref _unused, null) ?? throw new IOException("the connection was lost")),
                UseProxy = false,
                UseCookies = false,
                AllowAutoRedirect = false,
                AutomaticDecompression = DecompressionMethods.None,
                ActivityHeadersPropagator = null,
                MaxResponseHeadersLength = MaxResponseHeadersKiB,
                InitialHttp2StreamWindowSize = 2 * MaxMessageSize,
                PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
                PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
            },
            DisposeHttpClient = true,
            CompressionProviders = [],
            MaxReceiveMessageSize = MaxMessageSize,
        });
        Client = new WhipService.WhipClient(_channel);
    }

    /// <summary>The broker's verified identity; null when the connection is plain.</summary>
    public PeerIdentity? Peer { get; }

    /// <summary>For one call.</summary>
    public WhipService.WhipClient Client { get; }

    /// <summary>Connects, and nothing more: nothing is sent to the broker before the call.</summary>
    /// <param name="address">Where to; a name only with a proxy, which looks it up.</param>
    /// <param name="broker">What leads there; under TLS the broker's leaf must cover the host.</param>
    /// <param name="identity">Null: plain HTTP/2 with prior knowledge.</param>
    /// <param name="time">The clock of the timeout.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="connected">Told when the TCP connection is established.</param>
    /// <param name="via">The proxy that leads there; null: none.</param>
    /// <exception cref="RpcException">
    /// Unavailable: no connection; Unauthenticated, PermissionDenied: TLS was refused here, there; FailedPrecondition: it is another port.
    /// </exception>
    public static async Task<ControlConnection> OpenAsync(
        HostPort address, HostPort broker, TlsIdentity? identity, TimeProvider time, CancellationToken cancellationToken, Action? connected = null,
        HttpProxy? via = null)
    {
        var uri = new Uri($"{(identity is null ? "http" : "https")}://{broker}");
        using var deadline = new Deadline(ConnectTimeout, time, cancellationToken);
        try
        {
            var stream = await ProxyTunnel.ConnectAsync(new Connector(time), via, address, deadline.Token).ConfigureAwait(false);
            stream.LeaveEngine();
            await EngineThread.Leave();
            connected?.Invoke();
            if (identity is null)
            {
                return new ControlConnection(stream, uri, peer: null);
            }

            var (tls, peer) = await AuthenticateAsync(stream, uri, identity, time.GetUtcNow(), deadline.Token).ConfigureAwait(false);
            return new ControlConnection(tls, uri, peer);
        }
        catch (SocketException error)
        {
            throw Failed(StatusCode.Unavailable, error.Message);
        }
        catch (ProxyException error)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, error.Message, error));
        }
        catch (RpcException error) when (via is not null && error.StatusCode == StatusCode.Unavailable)
        {
            throw Failed(StatusCode.Unavailable, $"{error.Status.Detail}; it was tried through the proxy {via}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            var through = via is null ? "" : $" through the proxy {via}: it does not answer, or finds nobody at {address}";
            throw Failed(StatusCode.Unavailable, $"no connection within {ConnectTimeout.TotalSeconds:0} s{through}");
        }
    }

    /// <summary>Closes the connection; a call that is open ends. Idempotent.</summary>
    public void Dispose()
    {
        _channel.Dispose();
        Interlocked.Exchange(ref _unused, null)?.Dispose();
    }

    private static async Task<(Stream Tls, PeerIdentity Peer)> AuthenticateAsync(
        Stream stream, Uri uri, TlsIdentity identity, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var holder = new PeerVerdictHolder();
        var tls = new SslStream(stream);
        try
        {
            var options = identity.ClientOptions(uri.IdnHost, uri.Port, holder);
            options.ApplicationProtocols = [SslApplicationProtocol.Http2];
            await tls.AuthenticateAsClientAsync(options, cancellationToken).ConfigureAwait(false);
            if (tls.NegotiatedApplicationProtocol != SslApplicationProtocol.Http2 && holder.Verdict is { IsTrusted: true })
            {
                var answer = await PortQuestion.AskAsync(tls, uri, cancellationToken).ConfigureAwait(false);
                throw Failed(StatusCode.FailedPrecondition, answer.Length > 0 ? answer : NotGrpc);
            }

            return (tls, holder.Verdict?.Identity ?? throw new AuthenticationException("the broker's certificate was not judged"));
        }
        catch (Exception error)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            if (error is not (AuthenticationException or IOException))
            {
                throw;
            }

            throw holder.Verdict is { IsTrusted: false } verdict ? Failed(StatusCode.Unauthenticated, verdict.Problem)
                : Array.Exists(NoProtocol, error.GetBaseException().Message.Contains) ? Failed(StatusCode.FailedPrecondition, NotGrpc)
                : TlsRefusal.Alert(error) is { } alert ? Failed(StatusCode.PermissionDenied, alert)
                : error is AuthenticationException ? Failed(StatusCode.Unavailable, $"TLS handshake failed: {error.GetBaseException().Message}")
                : Failed(StatusCode.Unavailable, $"{EndedInHandshake}; or {TlsRefusal.Unanswered(identity, now)}");
        }
    }

    private static RpcException Failed(StatusCode code, string problem) => new(new Status(code, Printable.Clean(problem, MaxProblem)));
}
