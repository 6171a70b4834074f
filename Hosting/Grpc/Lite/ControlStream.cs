using System.Net;
using Microsoft.AspNetCore.Http;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Grpc;

/// <summary>
/// One call of Register over an HTTP/2 request and its response. Kestrel uses both again for another call, so nothing touches
/// them once <see cref="DisposeAsync"/> has returned: each turn is taken for good.
/// </summary>
internal sealed class ControlStream(HttpContext context, AdmittedConnection connection, int maxMessageSize, CancellationToken aborted)
    : IControlStream, IAsyncDisposable
{
    private readonly CancellationTokenSource _closing = new();
    private readonly SemaphoreSlim _readTurn = new(1);
    private readonly SemaphoreSlim _writeTurn = new(1);
    private readonly FrameReader<RequestStream> _reader =
        new(context.Request.BodyReader, RequestStream.Parser, maxMessageSize, GrpcStatusCode.InvalidArgument);

    public PeerIdentity? Peer => connection.Peer;

    public IPEndPoint RemoteEndPoint => connection.RemoteEndPoint;

    public void Authenticated() => connection.Entry.Leave();

    public ValueTask<RequestStream?> ReadAsync(CancellationToken cancellationToken) =>
        InTurnAsync(_readTurn, _reader.ReadAsync, cancellationToken);

    public async ValueTask WriteAsync(ResponseStream message, CancellationToken cancellationToken)
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
