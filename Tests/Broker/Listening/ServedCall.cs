using System.Threading.Channels;
using Grpc.Core;
using Whip.Broker.Listening;
using Whip.Protocol.Messages;
using WhipService = Whip.Protocol.Messages.Whip;

namespace Whip.Tests.Broker.Listening;

/// <summary>One call of <see cref="RecordingService"/>, which runs until the test sets its end.</summary>
internal sealed class ServedCall(IAsyncStreamReader<RequestStream> requests, IServerStreamWriter<ResponseStream> responses, ServerCallContext context)
{
    public TaskCompletionSource<Status> End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public AdmittedConnection Connection { get; } = AdmittedConnection.Of(context.GetHttpContext().Features);

    public Metadata Trailers { get; } = context.ResponseTrailers;

    public CancellationToken Aborted { get; } = context.CancellationToken;

    /// <summary>The next message; null when the peer sends no more.</summary>
    /// <exception cref="OperationCanceledException">The call is over.</exception>
    public Task<RequestStream?> ReadAsync() => UntilOverAsync(async () => await requests.MoveNext() ? requests.Current : null);

    /// <exception cref="OperationCanceledException">The call is over.</exception>
    public Task WriteAsync(ResponseStream message) => UntilOverAsync(async () =>
    {
        await responses.WriteAsync(message);
        return true;
    });

    public async Task UntilAbortedAsync()
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = Aborted.Register(aborted.SetResult);
        await aborted.Task.WaitAsync(Patience.Long);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(ReadAsync);
    }

    private static async Task<T> UntilOverAsync<T>(Func<Task<T>> step)
    {
        try
        {
            return await step().WaitAsync(Patience.Long);
        }
        catch (Exception error) when (error is IOException or InvalidOperationException)
        {
            // The second is of a call that is over.
            throw new OperationCanceledException("the peer has gone", error);
        }
    }
}

/// <summary>Hands every call to the test, which drives the stream and says how the call ends.</summary>
internal sealed class RecordingService : WhipService.WhipBase
{
    private readonly Channel<ServedCall> _calls = Channel.CreateUnbounded<ServedCall>();
    private readonly CancellationTokenSource _stopping = new();

    public bool HasNext => _calls.Reader.Count > 0;

    public Task<ServedCall> NextAsync() => _calls.Reader.ReadAsync().AsTask().WaitAsync(Patience.Long);

    /// <summary>Ends every call that is open.</summary>
    public void Stop() => _stopping.Cancel();

    public override async Task Register(
        IAsyncStreamReader<RequestStream> requestStream, IServerStreamWriter<ResponseStream> responseStream, ServerCallContext context)
    {
        await context.WriteResponseHeadersAsync(Metadata.Empty);
        var call = new ServedCall(requestStream, responseStream, context);
        await using var stopped = _stopping.Token.Register(() => call.End.TrySetResult(new Status(StatusCode.Unavailable, "the broker stops")));
        await _calls.Writer.WriteAsync(call);
        context.Status = await call.End.Task.WaitAsync(context.CancellationToken);
    }
}
