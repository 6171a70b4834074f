using System.Net;
using System.Net.Sockets;
using Whip.Protocol;
using Whip.Protocol.Connect;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Harness.Checking;

/// <summary>
/// The load generator's dialer: each dial is a leg to the dial front and one CONNECT, always the same bytes. It has none of the library's timers and
/// retries, so a dial costs the generator, which shares the machine with what it measures, as little as possible.
/// </summary>
internal sealed class RawDialer(IPEndPoint front, TlsIdentity? identity, ConnectRequest request)
{
    private readonly byte[] _connect = request.ToBytes();

    /// <summary>Dials and exchanges a <see cref="Nonce"/> with the service.</summary>
    /// <exception cref="DialFailedException">The dial failed, or took longer than <paramref name="limit"/>.</exception>
    public async Task<Leg> AskAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(limit, TimeProvider.System, cancellationToken);
        var leg = await DialAsync(deadline);
        try
        {
            await Nonce.ExchangeAsync(leg, deadline.Token);
            return leg;
        }
        catch (Exception error)
        {
            leg.Abort();
            throw DialFailedException.From(error, "no answer through the dial", deadline);
        }
    }

    /// <exception cref="DialFailedException">The dial front did not answer 200, or not within <paramref name="limit"/>.</exception>
    public async Task<Leg> DialAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(limit, TimeProvider.System, cancellationToken);
        return await DialAsync(deadline);
    }

    /// <exception cref="DialFailedException">The dial front did not answer 200, or not in time.</exception>
    public async Task<Leg> DialAsync(Deadline deadline)
    {
        var leg = await OpenAsync(front, identity, deadline);
        try
        {
            await leg.WriteAsync(_connect, deadline.Token);
            var (head, _, problem) = await HeadReader.ReadAsync(leg, ConnectResponseHead.Parse, cancellationToken: deadline.Token);
            return head is { Status: 200 } ? leg : throw new DialFailedException(head is null ? problem ?? "no answer" : $"status {head.Status}");
        }
        catch (Exception error)
        {
            leg.Abort();
            throw DialFailedException.From(error, "no answer from the dial front", deadline);
        }
    }

    /// <summary>A leg, under TLS with its handshake done.</summary>
    /// <exception cref="DialFailedException">Nobody answers, or the handshake failed.</exception>
    public static async Task<Leg> OpenAsync(IPEndPoint front, TlsIdentity? identity, Deadline deadline)
    {
        Leg? leg = null;
        try
        {
            leg = await Leg.ConnectAsync(front, deadline.Token);
            if (identity is not null)
            {
                await leg.AuthenticateAsClientAsync(identity, $"{front.Address}", deadline.Token);
            }

            return leg;
        }
        catch (Exception error)
        {
            leg?.Abort();
            throw DialFailedException.From(error, leg is null ? "no connection" : "no handshake", deadline);
        }
    }
}

/// <summary>A dial, or what went through it, failed. The message is one of few, so that failures can be counted by it.</summary>
internal sealed class DialFailedException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Cancellation stays what it is when the caller asked for it, and so does an exception that is not the network's.</summary>
    public static Exception From(Exception error, string what, Deadline deadline) => error switch
    {
        _ when deadline.Parent.IsCancellationRequested => new OperationCanceledException(what, error, deadline.Parent),
        OperationCanceledException when deadline.HasPassed => new DialFailedException($"{what} in time", error),
        IOException { InnerException: SocketException inner } => new DialFailedException($"{what}: {inner.SocketErrorCode}", error),
        SocketException socket => new DialFailedException($"{what}: {socket.SocketErrorCode}", error),
        IOException or LegHandshakeException => new DialFailedException($"{what}: {error.Message}", error),
        _ => error,
    };
}
