using System.Net;
using System.Net.Sockets;
using Whip.Protocol.Connect;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Harness.Checking;

/// <summary>
/// The load generator's dial: a leg to the dial front and one CONNECT, always the same bytes. It has none of the library's timers and
/// retries, so that a dial costs the generator, which shares the machine with what it measures, as little as can be.
/// </summary>
internal sealed class RawDialer(IPEndPoint front, TlsIdentity? identity, ConnectRequest request)
{
    private readonly byte[] _connect = request.ToBytes();

    /// <summary>A dial that stands: a service that checks what it reads has answered through it.</summary>
    /// <exception cref="DialFailedException">Anything else.</exception>
    public async Task<Leg> AskAsync(CancellationToken cancellationToken)
    {
        var leg = await DialAsync(cancellationToken);
        try
        {
            await Nonce.ExchangeAsync(leg, cancellationToken);
            return leg;
        }
        catch (Exception error)
        {
            leg.Abort();
            throw DialFailedException.From(error, "no answer through the dial", cancellationToken);
        }
    }

    /// <exception cref="DialFailedException">The dial front did not answer 200.</exception>
    public async Task<Leg> DialAsync(CancellationToken cancellationToken)
    {
        Leg? leg = null;
        try
        {
            leg = await Leg.ConnectAsync(front, cancellationToken);
            if (identity is not null)
            {
                await leg.AuthenticateAsClientAsync(identity, $"{front.Address}", cancellationToken);
            }

            await leg.WriteAsync(_connect, cancellationToken);
            var (head, _, problem) = await HeadReader.ReadAsync(leg, ConnectResponseHead.Parse, cancellationToken: cancellationToken);
            return head is { Status: 200 } ? leg : throw new DialFailedException(head is null ? problem ?? "no answer" : $"status {head.Status}");
        }
        catch (Exception error)
        {
            leg?.Abort();
            throw DialFailedException.From(error, leg is null ? "no connection to the dial front" : "no answer from the dial front", cancellationToken);
        }
    }
}

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
