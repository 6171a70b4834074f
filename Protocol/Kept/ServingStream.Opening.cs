using Whip.Protocol.Messages;

namespace Whip.Protocol.Kept;

internal sealed partial class ServingStream
{
    /// <summary>Reads what an idle leg is asked for.</summary>
    /// <exception cref="IOException">It is something else, or the connection broke; it is reset.</exception>
    public async ValueTask<Messages.Connect> ReadOpenAsync(CancellationToken cancellationToken)
    {
        var header = await NextHeaderAsync(cancellationToken).ConfigureAwait(false);
        return header.Kind == FrameKind.Open
            ? await ReadLastAsync(header, Messages.Connect.Parser, cancellationToken).ConfigureAwait(false)
            : throw Broken($"sent {header.Kind} between two dials");
    }

    /// <summary>The dial is pending.</summary>
    public ValueTask WriteWaitAsync(CancellationToken cancellationToken) => WriteOpeningAsync(FrameKind.Wait, null, cancellationToken);

    /// <summary>From now on the stream is that of the dial.</summary>
    public ValueTask WriteOpenedAsync(CancellationToken cancellationToken) => WriteOpeningAsync(FrameKind.Opened, null, cancellationToken);

    /// <summary>There is no dial; the connection is idle again.</summary>
    public ValueTask WriteRefusedAsync(ConnectFailed refusal, CancellationToken cancellationToken) =>
        WriteOpeningAsync(FrameKind.Refused, refusal, cancellationToken);
}
