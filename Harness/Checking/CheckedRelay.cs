using Whip.Protocol.Legs;

namespace Whip.Harness.Checking;

/// <summary>The dialer's end of an echo: sends pieces of the <see cref="Pattern"/> and reads them back; both ends compare every byte.</summary>
/// <param name="Pieces">The number of pieces.</param>
/// <param name="PieceSize">In bytes.</param>
/// <param name="Pause">After each piece.</param>
internal sealed record CheckedRelay(int Pieces, int PieceSize, TimeSpan Pause)
{
    /// <summary>Disposes the stream, or resets it if it did not come to its end.</summary>
    public async Task<EchoEnd> RunAsync(WhipStream stream, long start, CancellationToken stop)
    {
        try
        {
            await stream.WriteAsync(CheckingService.Request(CheckingService.Echo, start, (long)Pieces * PieceSize), stop);
            var echo = new byte[PieceSize];
            for (var position = start; position < start + ((long)Pieces * PieceSize); position += PieceSize)
            {
                var receiving = stream.ReadExactlyAsync(echo, stop).AsTask();
                await stream.WriteAsync(Pattern.At(position, PieceSize), stop);
                await receiving;
                if (!Pattern.Matches(position, echo))
                {
                    stream.Abort();
                    return EchoEnd.Wrong;
                }

                await Task.Delay(Pause, stop);
            }

            await stream.CompleteWritesAsync(stop);
            var end = await stream.ReadAsync(echo, stop) == 0 ? EchoEnd.Whole : EchoEnd.Wrong;
            await stream.DisposeAsync();
            return end;
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            stream.Abort();
            return error is EndOfStreamException ? EchoEnd.EarlyEnd : error is IOException ? EchoEnd.Reset : EchoEnd.Stopped;
        }
    }
}

/// <summary>How an echo ended, as seen at one of its two ends.</summary>
internal enum EchoEnd
{
    Whole,
    Reset,

    /// <summary>A clean end of the stream before every byte had arrived.</summary>
    EarlyEnd,

    Wrong,

    /// <summary>This end stopped because the run is over.</summary>
    Stopped,
}
