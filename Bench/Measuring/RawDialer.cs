using System.Net;
using Whip.Bench.Local;
using Whip.Protocol.Connect;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Bench.Measuring;

/// <summary>
/// The load generator's dial: a leg to the dial front and one CONNECT, always the same bytes. It has none of the library's timers and
/// retries, so that a dial costs the generator, which shares the machine with what it measures, as little as can be.
/// </summary>
internal sealed class RawDialer(LocalProgram broker, WhipTlsOptions tls, string name, int port)
{
    private readonly IPEndPoint _front = broker.Addresses["dial"];
    private readonly TlsIdentity? _identity = tls.Enabled ? TlsIdentity.Load(tls) : null;
    private readonly byte[] _connect = new ConnectRequest(name, port).ToBytes();

    /// <summary>A dial that stands: a service that checks what it reads has answered through it.</summary>
    /// <exception cref="DialFailedException">Anything else.</exception>
    public async Task<Leg> AskAsync(CancellationToken cancellationToken)
    {
        var leg = await DialAsync(cancellationToken);
        try
        {
            var message = new byte[1 + Nonce.QuestionSize];
            message[0] = CheckingService.Answer;
            var expected = Nonce.Ask(message.AsSpan(1));
            await leg.WriteAsync(message, cancellationToken);
            await leg.ReadExactlyAsync(message.AsMemory(0, Nonce.AnswerSize), cancellationToken);
            return Nonce.IsAnswer(message, expected) ? leg : throw new DialFailedException("the answer is wrong");
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
            leg = await Leg.ConnectAsync(_front, cancellationToken);
            if (_identity is not null)
            {
                await leg.AuthenticateAsClientAsync(_identity, $"{_front.Address}", cancellationToken);
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
