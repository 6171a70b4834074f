using System.Net;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Whip.Protocol.Grpc;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Grpc;

/// <summary>
/// One call over an HTTP/2 request and its response. Kestrel uses both again for another call, so nothing touches
/// them once <see cref="DisposeAsync"/> has returned: each turn is taken for good.
/// </summary>
internal sealed class ControlStream<TRequest, TResponse>(
    GrpcMethod<TRequest, TResponse> method, HttpContext context, AdmittedConnection connection, int maxMessageSize, CancellationToken aborted)
    : IControlStream<TRequest, TResponse>, IAsyncDisposable
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage<TResponse>
{
    private readonly CancellationTokenSource _closing = new();
    private readonly SemaphoreSlim _readTurn = new(1);
    private readonly SemaphoreSlim _writeTurn = new(1);
    private readonly FrameReader<TRequest> _reader =
        new(context.Request.BodyReader, method.Requests, maxMessageSize, GrpcStatusCode.InvalidArgument);

    public PeerIdentity? Peer => connection.Peer;

    public IPEndPoint RemoteEndPoint => connection.RemoteEndPoint;

    public void Authenticated() => connection.Entry.Leave();

    public ValueTask<TRequest?> ReadAsync(CancellationToken cancellationToken) =>
        InTurnAsync(_readTurn, _reader.ReadAsync, cancellationToken);

    public async ValueTask WriteAsync(TResponse message, CancellationToken cancellationToken)
    {
        var frame = GrpcWire.Frame(message);
        var result = await InTurnAsync(_writeTurn, token => context.Response.BodyWriter.WriteAsync(frame, token), cancellationToken);
        if (result.IsCompleted)
        {
            throw new OperationCanceledException("the peer has gone");
        }
    }

    /// <summary>Ends what is being read and written; what comes later is cancelled.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _readTurn.WaitAsync(CancellationToken.None);
        await _writeTurn.WaitAsync(CancellationToken.None);
    }

    private async ValueTask<TResult> InTurnAsync<TResult>(
        SemaphoreSlim turn, Func<CancellationToken, ValueTask<TResult>> run, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, aborted, _closing.Token);
        await turn.WaitAsync(either.Token);
        try
        {
            return await run(either.Token);
        }
        catch (IOException exception)
        {
            throw new OperationCanceledException("the peer has gone", exception);
        }
        finally
        {
            turn.Release();
        }
    }
}
