using System.Security.Cryptography;
using Google.Protobuf;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;

namespace Whip.Broker.Peers;

/// <summary>How a link begins, at both ends: Hello, with a secret the challenge of each by the other, and Welcome.</summary>
internal static class PeerGreeting
{
    /// <summary>The opener's side.</summary>
    /// <returns>The mark of the process that answers.</returns>
    /// <exception cref="GrpcStatusException">FailedPrecondition: it is not the broker; NotFound and others: it does not take us for one.</exception>
    public static async Task<byte[]> OpenAsync(
        ControlCall<PeerRequest, PeerReply> call, ClusterCredentials self, string brokerId, CancellationToken cancellationToken)
    {
        if (self.Problem(call.Peer, call.RemoteEndPoint, brokerId) is { } problem)
        {
            throw Refusal(GrpcStatusCode.FailedPrecondition, problem);
        }

        var nonce = RandomNumberGenerator.GetBytes(ClusterCredentials.NonceSize);
        var hello = new PeerHello { ClusterId = self.ClusterId, FromBroker = self.BrokerId, ToBroker = brokerId, Nonce = ByteString.CopyFrom(nonce) };
        var reply = await AskAsync(call, new PeerRequest { Hello = hello }, cancellationToken);
        if (self.HasSecret)
        {
            var challenge = reply?.Challenge ?? throw Refusal(GrpcStatusCode.FailedPrecondition, "it runs without the --cluster-secret of this broker");
            if (!ClusterCredentials.IsSame(self.AnswererProof(self.BrokerId, brokerId, nonce, challenge.Nonce.Span), challenge.Proof.Span))
            {
                throw Refusal(GrpcStatusCode.FailedPrecondition, "it has another --cluster-secret");
            }

            var proof = self.OpenerProof(self.BrokerId, brokerId, nonce, challenge.Nonce.Span);
            reply = await AskAsync(call, new PeerRequest { Proof = ByteString.CopyFrom(proof) }, cancellationToken);
        }

        return reply?.Welcome?.Process.ToByteArray() ?? throw Refusal(
            GrpcStatusCode.FailedPrecondition, reply?.Challenge is null ? "it does not greet as a broker does" : "it asks for a --cluster-secret, and this broker has none");
    }

    /// <summary>The answerer's side, all but the Welcome.</summary>
    /// <returns>Whose link it is.</returns>
    /// <exception cref="GrpcStatusException">What the call ends with: it is not the link of a broker of this cluster to this broker.</exception>
    public static async Task<string> AnswerAsync(
        IPeerStream stream, ClusterCredentials self, CancellationToken cancellationToken)
    {
        var hello = (await stream.ReadAsync(cancellationToken))?.Hello ?? throw Refusal(GrpcStatusCode.InvalidArgument, "the first message must be Hello");
        if (hello.ClusterId != self.ClusterId || hello.ToBroker != self.BrokerId)
        {
            var asked = Printable.Clean(BrokerUri.Format(hello.ClusterId, hello.ToBroker));
            throw Refusal(GrpcStatusCode.NotFound, $"this is {BrokerUri.Format(self.ClusterId, self.BrokerId)}, not {asked}");
        }

        if (self.Problem(stream.Peer, stream.RemoteEndPoint, hello.FromBroker) is { } problem)
        {
            throw Refusal(GrpcStatusCode.PermissionDenied, problem);
        }

        if (self.HasSecret)
        {
            await ChallengeAsync(stream, self, hello, cancellationToken);
        }

        return Printable.Clean(hello.FromBroker);
    }

    private static async Task ChallengeAsync(
        IPeerStream stream, ClusterCredentials self, PeerHello hello, CancellationToken cancellationToken)
    {
        if (hello.Nonce.Length != ClusterCredentials.NonceSize)
        {
            throw Refusal(GrpcStatusCode.InvalidArgument, $"the nonce of Hello must have {ClusterCredentials.NonceSize} bytes");
        }

        var nonce = RandomNumberGenerator.GetBytes(ClusterCredentials.NonceSize);
        var ours = self.AnswererProof(hello.FromBroker, self.BrokerId, hello.Nonce.Span, nonce);
        var challenge = new PeerChallenge { Nonce = ByteString.CopyFrom(nonce), Proof = ByteString.CopyFrom(ours) };
        await stream.WriteAsync(new PeerReply { Challenge = challenge }, cancellationToken);
        var answer = await stream.ReadAsync(cancellationToken);
        var expected = self.OpenerProof(hello.FromBroker, self.BrokerId, hello.Nonce.Span, nonce);
        if (answer is not { RequestCase: PeerRequest.RequestOneofCase.Proof } || !ClusterCredentials.IsSame(expected, answer.Proof.Span))
        {
            throw Refusal(GrpcStatusCode.PermissionDenied, "it does not know the --cluster-secret of this broker");
        }
    }

    private static async Task<PeerReply?> AskAsync(ControlCall<PeerRequest, PeerReply> call, PeerRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await call.WriteAsync(request, cancellationToken);
        }
        catch (GrpcStatusException)
        {
            // The reader learns how the call ended.
            await call.ReadAsync(cancellationToken);
            throw;
        }

        return await call.ReadAsync(cancellationToken);
    }

    private static GrpcStatusException Refusal(GrpcStatusCode code, string problem) => new(new GrpcStatus(code, problem));
}
