using System.Buffers.Binary;
using Whip.Harness.Checking;
using Whip.Protocol.Legs;

namespace Whip.Bench.Measuring;

/// <summary>Streams that carry the <see cref="Pattern"/> as fast as they can, one way; every byte is compared where it arrives.</summary>
internal sealed class RelayLoad(MeasuredWhip whip)
{
    // So much is on order that the service never waits for the next order.
    private const long Ahead = 4 * CheckingService.Portion;

    private static readonly byte[] Order = [(byte)'+'];

    private long _downloaded;

    /// <summary>Bytes that have arrived from the service.</summary>
    public long Downloaded => Interlocked.Read(ref _downloaded);

    /// <summary>From the service to the dialer until stopped; what was ordered still arrives.</summary>
    /// <exception cref="DialFailedException">The dial failed, the stream broke, or its content was wrong or not whole.</exception>
    public Task DownloadAsync(CancellationToken stop, CancellationToken cancellationToken) =>
        RunAsync(CheckingService.Download, (leg, start) => ReceiveAsync(leg, start, stop, cancellationToken), cancellationToken);

    /// <summary>From the dialer to the service until stopped; the service then says how much was right.</summary>
    /// <exception cref="DialFailedException">The dial failed, the stream broke, or its content was wrong or not whole.</exception>
    public Task UploadAsync(CancellationToken stop, CancellationToken cancellationToken) =>
        RunAsync(CheckingService.Upload, (leg, start) => SendAsync(leg, start, stop, cancellationToken), cancellationToken);

    private async Task RunAsync(byte purpose, Func<Leg, long, Task<bool>> carry, CancellationToken cancellationToken)
    {
        // Each stream has another content, so that two swapped ones are seen.
        var start = Random.Shared.NextInt64(Pattern.Period);
        var request = new byte[1 + sizeof(long)];
        request[0] = purpose;
        BinaryPrimitives.WriteInt64LittleEndian(request.AsSpan(1), start);
        var leg = await whip.Dialer.DialAsync(cancellationToken);
        try
        {
            await leg.WriteAsync(request, cancellationToken);
            if (!await carry(leg, start))
            {
                throw new DialFailedException("the content of a stream was wrong or not whole");
            }

            await leg.DisposeAsync();
        }
        catch (Exception error)
        {
            leg.Abort();
            throw DialFailedException.From(error, "a stream broke", cancellationToken);
        }
    }

    private async Task<bool> ReceiveAsync(Leg leg, long start, CancellationToken stop, CancellationToken cancellationToken)
    {
        var buffer = new byte[Pattern.MaxPiece];
        var (position, ordered, isStopped) = (start, start, false);
        while (true)
        {
            if (!isStopped && stop.IsCancellationRequested)
            {
                isStopped = true;
                await leg.CompleteWritesAsync(cancellationToken);
            }
            else if (!isStopped && ordered - position < Ahead)
            {
                await leg.WriteAsync(Order, cancellationToken);
                ordered += CheckingService.Portion;
            }

            var read = await leg.ReadAsync(buffer, cancellationToken);
            if (read == 0 || !Pattern.Matches(position, buffer.AsSpan(0, read)))
            {
                return read == 0 && isStopped && position == ordered;
            }

            position += read;
            Interlocked.Add(ref _downloaded, read);
        }
    }

    private static async Task<bool> SendAsync(Leg leg, long start, CancellationToken stop, CancellationToken cancellationToken)
    {
        var position = start;
        for (; !stop.IsCancellationRequested; position += Pattern.MaxPiece)
        {
            await leg.WriteAsync(Pattern.At(position, Pattern.MaxPiece), cancellationToken);
        }

        await leg.CompleteWritesAsync(cancellationToken);
        var arrived = new byte[sizeof(long)];
        await leg.ReadExactlyAsync(arrived, cancellationToken);
        return BinaryPrimitives.ReadInt64LittleEndian(arrived) == position - start && await leg.ReadAsync(arrived, cancellationToken) == 0;
    }
}
