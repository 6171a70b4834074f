using System.Net;

namespace Whip.Protocol.Grpc;

/// <summary>A request body that stays open, and is sent once.</summary>
internal sealed class OnceContent : HttpContent
{
    private readonly HttpContent _inner;
    private readonly TaskCompletionSource _started;
    private readonly CancellationToken _cancelled;

    /// <param name="inner">The body.</param>
    /// <param name="started">Told when the request's head is sent.</param>
    /// <param name="cancelled">Of the request: then its body does not end but breaks off.</param>
    public OnceContent(HttpContent inner, TaskCompletionSource started, CancellationToken cancelled)
    {
        _inner = inner;
        _started = started;
        _cancelled = cancelled;
        Headers.ContentType = inner.Headers.ContentType;
    }

    /// <summary>When the connection breaks the body is cancelled first: the handler then says why, unless the body throws.</summary>
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        try
        {
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        if (!_started.TrySetResult())
        {
            // The handler retries a request the peer has not processed; what was written since is lost, so the call ends instead.
            throw CallFailure.Unavailable("the peer refused the call");
        }

        // A body that outlived its cancellation would let what befalls the connection later hide a status that has come.
        await _inner.CopyToAsync(stream, context, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _cancelled.ThrowIfCancellationRequested();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        _inner.Dispose();
        base.Dispose(disposing);
    }
}
