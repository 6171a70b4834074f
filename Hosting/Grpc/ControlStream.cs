using System.IO.Pipelines;
using System.Net;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Grpc;

/// <summary>
/// One call over what reads and writes its messages. Kestrel uses a request and its response again for another call, so nothing
/// touches them once <see cref="DisposeAsync"/> has returned: each turn is taken for good.
/// </summary>
internal sealed class ControlStream<TRequest, TResponse>(
    AdmittedConnection connection, Func<CancellationToken, ValueTask<TRequest?>> read, Func<TResponse, Task> write, PipeWriter body, CancellationToken aborted)
    : IControlStream<TRequest, TResponse>, IAsyncDisposable
    where TRequest : class
{
    private readonly CancellationTokenSource _closing = new();
    private readonly SemaphoreSlim _readTurn = new(1);
    private readonly SemaphoreSlim _writeTurn = new(1);

    public PeerIdentity? Peer => connection.Peer;

    public IPEndPoint RemoteEndPoint => connection.RemoteEndPoint;

    public void Authenticated() => connection.Entry.Leave();

    public ValueTask<TRequest?> ReadAsync(CancellationToken cancellationToken) => InTurnAsync(_readTurn, read, cancellationToken);

    public async ValueTask WriteAsync(TResponse message, CancellationToken cancellationToken) => await InTurnAsync(
        _writeTurn,
        async token =>
        {
            // A token of the write itself would reset the call, and the status would not come.
            await using var cancelled = token.UnsafeRegister(static writer => ((PipeWriter)writer!).CancelPendingFlush(), body);
            await write(message);
            token.ThrowIfCancellationRequested();
            return true;
        },
        cancellationToken);

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
        catch (Exception exception) when (exception is IOException or InvalidOperationException)
        {
            // The second is of a call that is over.
            throw new OperationCanceledException("the peer has gone", exception);
        }
        finally
        {
            turn.Release();
        }
    }
}
