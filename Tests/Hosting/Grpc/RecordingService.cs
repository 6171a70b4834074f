using System.Threading.Channels;
using Whip.Hosting.Grpc;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Tests.Support;

namespace Whip.Tests.Hosting.Grpc;

/// <summary>Hands every call to the test, which drives the stream and says how the call ends.</summary>
internal sealed class RecordingService : IControlService
{
    private readonly Channel<ServedCall> _calls = Channel.CreateUnbounded<ServedCall>();

    public async Task<GrpcStatus> RegisterAsync(IControlStream<RequestStream, ResponseStream> stream, CancellationToken aborted)
    {
        var call = new ServedCall(stream, aborted);
        await _calls.Writer.WriteAsync(call, CancellationToken.None);
        return await call.End.Task.WaitAsync(aborted);
    }

    public Task<GrpcStatus> LinkAsync(IControlStream<PeerRequest, PeerReply> stream, CancellationToken aborted) =>
        Task.FromResult(new GrpcStatus(GrpcStatusCode.Unimplemented, "no link"));

    public bool HasNext => _calls.Reader.Count > 0;

    public Task<ServedCall> NextAsync() => _calls.Reader.ReadAsync().AsTask().WaitAsync(Patience.Long);
}
