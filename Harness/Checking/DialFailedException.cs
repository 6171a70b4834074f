using System.Net.Sockets;
using Whip.Protocol.Legs;

namespace Whip.Harness.Checking;

/// <summary>A dial, or what went through it, failed; the message is one of few, to be counted by.</summary>
internal sealed class DialFailedException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>The same exception when it is none of the network's, or the generator was told to stop.</summary>
    public static Exception From(Exception error, string what, CancellationToken cancelled) => error switch
    {
        OperationCanceledException => cancelled.IsCancellationRequested ? new DialFailedException($"{what} in time", error) : error,
        IOException { InnerException: SocketException inner } => new DialFailedException($"{what}: {inner.SocketErrorCode}", error),
        SocketException socket => new DialFailedException($"{what}: {socket.SocketErrorCode}", error),
        IOException or LegHandshakeException => new DialFailedException($"{what}: {error.Message}", error),
        _ => error,
    };
}
