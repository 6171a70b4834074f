using System.IO.Pipelines;
using System.Net;
using Google.Protobuf;
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
    private readonly GrpcMethod<TRequest, TResponse> _method;
    private readonly CancellationTokenSource _cancel = new();
    private readonly ControlContent _content = new();
    private readonly ControlConnection _connection;
    private readonly HttpMessageInvoker _invoker;
    private readonly Task<HttpResponseMessage> _response;
    private FrameReader<TResponse>? _reader;
    private volatile GrpcStatusException? _ended;

    private ControlCall(GrpcMethod<TRequest, TResponse> method, ControlCallOptions options)
    {
        _method = method;
        RemoteEndPoint = options.Address;
        _connection = new ControlConnection(options, _cancel.Token);
        _invoker = new HttpMessageInvoker(_connection.CreateHandler());
        _response = _invoker.SendAsync(Request(options), _cancel.Token);
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
            var first = await Task.WhenAny(call._content.Started, call._response)
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
            var stream = await _content.Started.WaitAsync(cancellationToken).ConfigureAwait(false);
            await stream.WriteAsync(GrpcWire.Frame(message), cancellationToken).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await _cancel.CancelAsync().ConfigureAwait(false);
            throw;
        }
        catch (Exception exception)
        {
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
            _reader ??= await AcceptAsync(cancellationToken).ConfigureAwait(false);
            var message = await _reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (message is null)
            {
                var status = StatusText.Of(await _response.ConfigureAwait(false)) ?? CallFailure.NoStatus;
                return status.Code == GrpcStatusCode.Ok ? null : throw new GrpcStatusException(status);
            }

            return message;
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
    public Task CompleteAsync()
    {
        _content.Complete();
        return Task.CompletedTask;
    }

    /// <summary>Cancels the call if it is open and closes its connection. Idempotent.</summary>
    public async ValueTask DisposeAsync()
    {
        await _cancel.CancelAsync().ConfigureAwait(false);
        await ((Task)_response).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_response.IsCompletedSuccessfully)
        {
            _response.Result.Dispose();
        }

        _content.Dispose();
        _invoker.Dispose();
    }

    private HttpRequestMessage Request(ControlCallOptions options)
    {
        var scheme = options.Tls is null ? "http" : "https";
        var request = new HttpRequestMessage(HttpMethod.Post, $"{scheme}://{options.Authority}{_method.Path}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = _content,
        };
        request.Headers.TE.ParseAdd("trailers");
        request.Headers.Add(GrpcWire.AcceptEncodingHeader, GrpcWire.Identity);
        return request;
    }

    private async Task<FrameReader<TResponse>> AcceptAsync(CancellationToken cancellationToken)
    {
        var response = await _response.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (CallFailure.FromHead(response) is { } failure)
        {
            throw new GrpcStatusException(failure);
        }

        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        return new FrameReader<TResponse>(PipeReader.Create(body), _method.Responses, GrpcWire.MaxMessageSize, GrpcStatusCode.Internal);
    }

    private GrpcStatusException Failure(Exception exception) =>
        Peer is null || _response.IsCompletedSuccessfully ? CallFailure.From(exception) : CallFailure.BeforeAnswer(exception);

    private void ThrowIfEnded()
    {
        if (_ended is { } ended)
        {
            throw new GrpcStatusException(ended.Status, ended);
        }
    }
}
