using System.Security.Authentication;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Protocol.Grpc;

/// <summary>Why a TLS handshake failed, in one printable line.</summary>
internal static class HandshakeProblem
{
    public static string Describe(PeerVerdictHolder holder, Exception exception) => holder.Verdict is { IsTrusted: false } verdict
        ? verdict.Problem
        : exception switch
        {
            OperationCanceledException => "the TLS handshake took too long",
            AuthenticationException => $"TLS handshake failed: {Printable.Clean(exception.GetBaseException().Message)}",
            _ => "the peer ended the connection during the TLS handshake",
        };

    /// <summary>Whether the peer said that it refuses the handshake; what it refuses is our certificate.</summary>
    public static bool IsAlert(Exception exception)
    {
        var message = exception.GetBaseException().Message;
        return message.Contains("SSL", StringComparison.Ordinal) && message.Contains("alert", StringComparison.Ordinal);
    }
}
