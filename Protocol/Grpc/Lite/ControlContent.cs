using System.Net;
using System.Net.Http.Headers;

namespace Whip.Protocol.Grpc;

/// <summary>A request body that stays open: its stream is handed out when the request's head is on its way.</summary>
internal sealed class ControlContent : HttpContent
{
    private readonly TaskCompletionSource<Stream> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ControlContent()
    {
        Headers.ContentType = new MediaTypeHeaderValue(GrpcWire.ContentType);
    }

    public Task<Stream> Started => _started.Task;

    /// <summary>Ends the body; the call's responses go on.</summary>
    public void Complete() => _completed.TrySetResult();

    /// <summary>When the connection breaks the body is cancelled first: the handler then says why, unless the body throws.</summary>
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        try
        {
            // Without a flush the head waits for the first message.
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        if (!_started.TrySetResult(stream))
        {
            // The handler retries a request the peer has not processed; what was written since is lost, so the call ends instead.
            throw CallFailure.Unavailable("the peer refused the call");
        }

        await _completed.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
