using System.Buffers.Binary;
using Whip.Protocol.Legs;

namespace Whip.Harness.Checking;

/// <summary>The dialer's end of an echo: so many pieces of the <see cref="Pattern"/> there and back, every byte compared at both ends.</summary>
/// <param name="Pieces">How many.</param>
/// <param name="PieceSize">Bytes of one.</param>
/// <param name="Pause">After each piece.</param>
internal sealed record CheckedRelay(int Pieces, int PieceSize, TimeSpan Pause)
{
    /// <summary>Disposes the stream, or resets it if it did not come to its end.</summary>
    public async Task<EchoEnd> RunAsync(WhipStream stream, long start, CancellationToken stop)
    {
        try
        {
            await RequestAsync(stream, start, stop);
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

    private async Task RequestAsync(WhipStream stream, long start, CancellationToken stop)
    {
        var request = new byte[1 + (2 * sizeof(long))];
        request[0] = CheckingService.Echo;
        BinaryPrimitives.WriteInt64LittleEndian(request.AsSpan(1), start);
        BinaryPrimitives.WriteInt64LittleEndian(request.AsSpan(1 + sizeof(long)), (long)Pieces * PieceSize);
        await stream.WriteAsync(request, stop);
    }
}
