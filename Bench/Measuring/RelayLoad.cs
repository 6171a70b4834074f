using Whip.Protocol;
using Whip.Protocol.Legs;

namespace Whip.Bench.Measuring;

/// <summary>Streams that carry the <see cref="Pattern"/> one way as fast as they can. Every byte is compared where it arrives.</summary>
internal sealed class RelayLoad(Func<Deadline, Task<WhipStream>> dialAsync)
{
    private long _carried;

    /// <summary>The bytes that came from the service, or were written toward it.</summary>
    public long Carried => Interlocked.Read(ref _carried);

    /// <summary>From the service to the dialer until stopped; what the service has sent by then still arrives.</summary>
    /// <exception cref="DialFailedException">The dial failed, the stream broke, or its content was wrong or not whole.</exception>
    public Task DownloadAsync(Deadline deadline, CancellationToken stop) => RunAsync(CheckingService.Download, ReceiveAsync, deadline, stop);

    /// <summary>From the dialer to the service until stopped; the service then says how much was right.</summary>
    /// <exception cref="DialFailedException">The dial failed, the stream broke, or its content was wrong or not whole.</exception>
    public Task UploadAsync(Deadline deadline, CancellationToken stop) => RunAsync(CheckingService.Upload, SendAsync, deadline, stop);

    private async Task RunAsync(
        byte purpose, Func<WhipStream, long, CancellationToken, CancellationToken, Task<bool>> carryAsync, Deadline deadline, CancellationToken stop)
    {
        // The streams differ in their content, so that swapped ones are noticed.
        var start = Random.Shared.NextInt64(Pattern.Period);
        var stream = await dialAsync(deadline);
        try
        {
            await stream.WriteAsync(CheckingService.Request(purpose, start), deadline.Token);
            if (!await carryAsync(stream, start, stop, deadline.Token))
            {
                throw new DialFailedException("the content of a stream was wrong or not whole");
            }

            await stream.DisposeAsync();
        }
        catch (Exception error)
        {
            stream.Abort();
            throw DialFailedException.From(error, "a stream broke", deadline);
        }
    }

    private async Task<bool> ReceiveAsync(WhipStream stream, long start, CancellationToken stop, CancellationToken cancellationToken)
    {
        var buffer = new byte[Pattern.MaxPiece];
        for (var (position, isStopped) = (start, false); ;)
        {
            if (!isStopped && stop.IsCancellationRequested)
            {
                isStopped = true;
                await stream.CompleteWritesAsync(cancellationToken);
            }

            var read = await stream.ReadAsync(buffer, cancellationToken);
            if (read == 0 || !Pattern.Matches(position, buffer.AsSpan(0, read)))
            {
                return read == 0 && isStopped;
            }

            position += read;
            Interlocked.Add(ref _carried, read);
        }
    }

    private async Task<bool> SendAsync(WhipStream stream, long start, CancellationToken stop, CancellationToken cancellationToken)
    {
        var position = start;
        for (; !stop.IsCancellationRequested; position += Pattern.MaxPiece)
        {
            await stream.WriteAsync(Pattern.At(position, Pattern.MaxPiece), cancellationToken);
            Interlocked.Add(ref _carried, Pattern.MaxPiece);
        }

        await stream.CompleteWritesAsync(cancellationToken);
        var arrived = new byte[sizeof(long)];
        await stream.ReadExactlyAsync(arrived, cancellationToken);
        return BitConverter.ToInt64(arrived) == position - start && await stream.ReadAsync(arrived, cancellationToken) == 0;
    }
}
