using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Whip.Broker.Listening;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Protocol.Tls;

namespace Whip.Broker.Peers;

/// <summary>The end of a link at the broker that answers: one reader, one writer.</summary>
internal interface IPeerStream
{
    PeerIdentity? Peer { get; }

    IPEndPoint RemoteEndPoint { get; }

    void Authenticated();

    ValueTask<PeerRequest?> ReadAsync(CancellationToken cancellationToken);

    Task WriteAsync(PeerReply reply, CancellationToken cancellationToken);
}

/// <inheritdoc/>
internal sealed class PeerStream(IAsyncStreamReader<PeerRequest> requests, IServerStreamWriter<PeerReply> replies, ServerCallContext context) : IPeerStream
{
    private readonly AdmittedConnection _connection = AdmittedConnection.Of(context.GetHttpContext().Features);

    public PeerIdentity? Peer => _connection.Peer;

    public IPEndPoint RemoteEndPoint => _connection.RemoteEndPoint;

    public void Authenticated() => _connection.Entry.Leave();

    public async ValueTask<PeerRequest?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await requests.MoveNext(cancellationToken) ? requests.Current : null;
        }
        catch (RpcException error)
        {
            throw new GrpcStatusException(new GrpcStatus((GrpcStatusCode)error.StatusCode, error.Status.Detail), error);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new GrpcStatusException(new GrpcStatus(GrpcStatusCode.InvalidArgument, "not a PeerRequest message"), error);
        }
        catch (IOException error)
        {
            throw new OperationCanceledException("the peer has gone", error);
        }
    }

    public Task WriteAsync(PeerReply reply, CancellationToken cancellationToken) => replies.WriteAsync(reply, CancellationToken.None).WaitAsync(cancellationToken);
}

/// <summary>What a control listener serves to other brokers, until it stops.</summary>
internal sealed class PeerEndpoint(PeerService service, CancellationToken stopping) : WhipPeers.WhipPeersBase
{
    public override async Task Link(IAsyncStreamReader<PeerRequest> requestStream, IServerStreamWriter<PeerReply> responseStream, ServerCallContext context)
    {
        await context.WriteResponseHeadersAsync(Metadata.Empty);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stopping);
        try
        {
            var status = await service.LinkAsync(new PeerStream(requestStream, responseStream, context), over.Token);
            context.Status = new Status((StatusCode)status.Code, status.Message);
        }
        catch (OperationCanceledException)
        {
            context.Status = new Status(StatusCode.Unavailable, "the broker is gone, or this one stops");
        }
    }
}
