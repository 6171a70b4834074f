using Whip.Hosting.Grpc;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Hosting.Grpc;

internal sealed record ServedCall(IControlStream<RequestStream, ResponseStream> Stream, CancellationToken Aborted)
{
    public TaskCompletionSource<GrpcStatus> End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<RequestStream?> ReadAsync() => Stream.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience.Long);

    public Task WriteAsync(ResponseStream message) => Stream.WriteAsync(message, CancellationToken.None).AsTask().WaitAsync(Patience.Long);

    public async Task UntilAbortedAsync()
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = Aborted.Register(aborted.SetResult);
        await aborted.Task.WaitAsync(Patience.Long);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(ReadAsync);
    }
}
