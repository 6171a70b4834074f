using Whip.Protocol.Messages;

namespace Whip.Protocol.Kept;

internal sealed partial class AskingStream
{
    /// <summary>Asks the agent at the other end of an idle leg for a dial. Without an answer the connection is reset.</summary>
    /// <param name="connect">Not larger than <see cref="FrameHeader.MaxOpen"/>.</param>
    /// <param name="first">Ends the wait for the first frame.</param>
    /// <param name="deadline">Ends every wait.</param>
    /// <returns>Null: the stream is that of the dial. Else why the agent refuses; the connection is idle.</returns>
    /// <exception cref="IOException">The agent ended the leg, or said something else.</exception>
    public async ValueTask<string?> OpenAsync(Messages.Connect connect, CancellationToken first, CancellationToken deadline)
    {
        try
        {
            await WriteOpeningAsync(FrameKind.Open, connect, first).ConfigureAwait(false);
            var answer = await NextHeaderAsync(first).ConfigureAwait(false);
            while (answer.Kind == FrameKind.Wait)
            {
                answer = await NextHeaderAsync(deadline).ConfigureAwait(false);
            }

            if (answer.Kind == FrameKind.Opened)
            {
                return null;
            }

            var refusal = answer.Kind != FrameKind.Refused ? throw Broken($"sent {answer.Kind} before its answer")
                : await ReadLastAsync(answer, ConnectFailed.Parser, deadline).ConfigureAwait(false);
            return refusal.ConnectionID == connect.ConnectionID ? refusal.ErrorMessage : throw Broken("refused another dial than it was asked for");
        }
        catch
        {
            Leg.Abort();
            throw;
        }
    }
}
