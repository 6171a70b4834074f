using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Protocol.Grpc;

/// <summary>
/// The caller's end of one control stream: one call on an HTTP/2 connection of its own. Reads by one caller,
/// writes by one caller, each at a time; a cancelled write ends the call. The reader learns the status the call ended with.
/// </summary>
internal sealed class ControlCall<TRequest, TResponse> : IAsyncDisposable
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>
{
    private readonly CancellationTokenSource _cancel = new();
    private readonly ControlConnection _connection;
    private readonly ControlHandler _handler;
    private readonly GrpcChannel _channel;
    private readonly AsyncDuplexStreamingCall<TRequest, TResponse> _call;
    private Task<bool>? _reading;
    private volatile GrpcStatusException? _ended;

    private ControlCall(GrpcMethod<TRequest, TResponse> method, ControlCallOptions options)
    {
        RemoteEndPoint = options.Address;
        _connection = new ControlConnection(options, _cancel.Token);
        _handler = new ControlHandler(_connection.CreateHandler());
        _channel = GrpcChannel.ForAddress($"{(options.Tls is null ? "http" : "https")}://{options.Authority}", new GrpcChannelOptions
        {
            HttpHandler = _handler,
            DisposeHttpClient = true,
            CompressionProviders = [],
            MaxReceiveMessageSize = GrpcWire.MaxMessageSize,
        });
        _call = _channel.CreateCallInvoker().AsyncDuplexStreamingCall(method.ToGrpc(GrpcStatusCode.Internal), host: null, default);
    }

    public IPEndPoint RemoteEndPoint { get; }

    /// <summary>The broker's verified identity; null when the call is plain.</summary>
    public PeerIdentity? Peer => _connection.Peer;

    /// <summary>Returns when the connection stands and the request's head is sent; the peer may answer much later.</summary>
    /// <exception cref="GrpcStatusException">Unavailable: no connection; Unauthenticated, PermissionDenied: TLS was refused here, there.</exception>
    public static async Task<ControlCall<TRequest, TResponse>> OpenAsync(
        GrpcMethod<TRequest, TResponse> method, ControlCallOptions options, CancellationToken cancellationToken)
    {
        var call = new ControlCall<TRequest, TResponse>(method, options);
        try
        {
            var first = await Task.WhenAny(call._handler.Started, call._call.ResponseHeadersAsync)
                .WaitAsync(options.ConnectTimeout, cancellationToken).ConfigureAwait(false);
            await first.ConfigureAwait(false);
            return call;
        }
        catch (Exception exception)
        {
            await call.DisposeAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            throw exception is TimeoutException
                ? CallFailure.Unavailable($"no connection within {options.ConnectTimeout.TotalSeconds:0.###} s", exception)
                : call.Failure(exception);
        }
    }

    /// <exception cref="GrpcStatusException">The call has ended; the reader learns how.</exception>
    public async ValueTask WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        try
        {
            await _call.RequestStream.WriteAsync(message, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ThrowIfEnded();
            throw CallFailure.Unavailable("the call has ended", exception);
        }
    }

    /// <returns>The next message; null when the call ended with Ok.</returns>
    /// <exception cref="GrpcStatusException">The call ended otherwise.</exception>
    public async ValueTask<TResponse?> ReadAsync(CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        try
        {
            // A token of its own would end the call with the read.
            _reading ??= _call.ResponseStream.MoveNext(CancellationToken.None);
            var any = await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
            _reading = null;
            return any ? _call.ResponseStream.Current : null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception exception)
        {
            throw _ended = Failure(exception);
        }
    }

    /// <summary>Says that no more messages follow; the call ends when the peer ends it. Idempotent.</summary>
    public Task CompleteAsync() => _call.RequestStream.CompleteAsync();

    /// <summary>Cancels the call if it is open and closes its connection. Idempotent.</summary>
    public async ValueTask DisposeAsync()
    {
        await _cancel.CancelAsync().ConfigureAwait(false);
        _call.Dispose();
        await ((Task)_call.ResponseHeadersAsync).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ((Task?)_reading ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _channel.Dispose();
    }

    private GrpcStatusException Failure(Exception exception)
    {
        var cause = exception is RpcException { Status.DebugException: { } inner } ? inner : exception;
        var known = _handler.Response is { } response && StatusText.Of(response) is { Code: not GrpcStatusCode.Ok } told ? told
            : FrameFailure.Of(cause, GrpcStatusCode.Internal) ?? (cause is RpcException ended ? WithoutCause(ended.Status) : null);
        return known is { } status ? new GrpcStatusException(status, exception)
            : Peer is null || _handler.Response is not null ? CallFailure.From(cause)
            : CallFailure.BeforeAnswer(cause);
    }

    /// <summary>grpc-dotnet takes a response without a status for one that was cancelled.</summary>
    private GrpcStatus WithoutCause(Status status) => status.StatusCode != StatusCode.Cancelled
        ? new GrpcStatus((GrpcStatusCode)status.StatusCode, Printable.Clean(status.Detail))
        : _cancel.IsCancellationRequested ? new GrpcStatus(GrpcStatusCode.Cancelled, "the call was cancelled")
        : CallFailure.NoStatus;

    private void ThrowIfEnded()
    {
        if (_ended is { } ended)
        {
            throw new GrpcStatusException(ended.Status, ended);
        }
    }
}
