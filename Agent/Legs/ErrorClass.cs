using System.Net.Sockets;
using Whip.Protocol.Legs;
using Whip.Protocol.Via;

namespace Whip.Agent.Legs;

/// <summary>The class of a failure, as much as a broker and its dialers may know of this machine.</summary>
internal static class ErrorClass
{
    /// <summary>Null: not a failure of the network.</summary>
    public static string? Of(Exception e) => e switch
    {
        OperationCanceledException => "deadline passed",
        ForeignBrokerException => e.Message,
        ProxyException { Status: { } status } => $"the agent's proxy answered with {status}",
        ProxyException => "the agent's proxy cannot be reached, or is none",
        LegHandshakeException { IsVerdict: false } =>
            "TLS handshake failed: is it the rendezvous port of a broker with TLS, to which --external-tcp must lead?",
        LegHandshakeException => "TLS handshake failed",
        SocketException socket => Of(socket.SocketErrorCode),
        IOException { InnerException: SocketException socket } => Of(socket.SocketErrorCode),
        IOException => "connection lost",
        _ => null,
    };

    private static string Of(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => "connection lost",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain or SocketError.NoRecovery => "name not found",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.AddressNotAvailable => "unreachable",
        SocketError.TimedOut => "timed out",
        SocketError.AccessDenied => "permission denied",
        SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable => "out of descriptors",
        _ => "failed",
    };
}
