using Whip.Hosting.Grpc;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;

namespace Whip.Tests.Hosting.Grpc;

internal sealed record ServedCall(IControlStream Stream, CancellationToken Aborted)
{
    private static readonly TimeSpan Due = TimeSpan.FromSeconds(20);

    public TaskCompletionSource<GrpcStatus> End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<RequestStream?> ReadAsync() => Stream.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Due);

    public Task WriteAsync(ResponseStream message) => Stream.WriteAsync(message, CancellationToken.None).AsTask().WaitAsync(Due);
}
