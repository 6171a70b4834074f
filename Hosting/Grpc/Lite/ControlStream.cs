using System.Net;
using Microsoft.AspNetCore.Http;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Grpc;

/// <summary>One call of Register over an HTTP/2 request and its response.</summary>
internal sealed class ControlStream(HttpContext context, AdmittedConnection connection, int maxMessageSize, CancellationToken aborted) : IControlStream
{
    private readonly FrameReader<RequestStream> _reader =
        new(context.Request.BodyReader, RequestStream.Parser, maxMessageSize, GrpcStatusCode.InvalidArgument);

    public PeerIdentity? Peer => connection.Peer;

    public IPEndPoint RemoteEndPoint => connection.RemoteEndPoint;

    public void Authenticated() => connection.Entry.Leave();

    public async ValueTask<RequestStream?> ReadAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, aborted);
        try
        {
            return await _reader.ReadAsync(either.Token);
        }
        catch (IOException exception)
        {
            throw new OperationCanceledException("the peer has gone", exception);
        }
    }

    public async ValueTask WriteAsync(ResponseStream message, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, aborted);
        try
        {
            var result = await context.Response.BodyWriter.WriteAsync(GrpcWire.Frame(message), either.Token);
            if (result.IsCompleted)
            {
                throw new OperationCanceledException("the peer has gone");
            }
        }
        catch (IOException exception)
        {
            throw new OperationCanceledException("the peer has gone", exception);
        }
    }
}
