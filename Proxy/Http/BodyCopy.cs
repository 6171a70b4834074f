using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Whip.Protocol.Options;

namespace Whip.Proxy.Http;

/// <summary>Passes a body on as it arrives: removes the sender's framing and writes the receiver's.</summary>
internal sealed class BodyCopy(HttpStream from, PipeWriter to, bool isChunked, TimeProvider time)
{
    private const int MaxLine = 4 * 1024;
    private const int MaxTrailers = 32 * 1024;
    private const int MaxUnflushed = 64 * 1024;

    private long _unflushed;

    /// <summary>How long the sender may be silent.</summary>
    public required TimeSpan ReadTimeout { get; init; }

    /// <summary>How long the receiver may take nothing.</summary>
    public TimeSpan WriteTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>Neither of the two holds any longer: the other direction bounds the exchange.</summary>
    public bool MayPause { get; set; }

    /// <summary>All of the body has been read; set before its last bytes are written.</summary>
    public bool IsRead { get; private set; }

    /// <summary>A failure was the receiver's fault; otherwise the sender's.</summary>
    public bool IsWriting { get; private set; }

    /// <summary>The receiver has some of it, or of the head that was written before it.</summary>
    public bool HasSent { get; private set; }

    /// <exception cref="HttpFormatException">The body is not framed as its head says, breaks off or stalls.</exception>
    /// <exception cref="TimeoutException">The receiver has taken nothing for too long.</exception>
    /// <exception cref="IOException">A connection broke.</exception>
    /// <exception cref="OperationCanceledException">The read was cancelled.</exception>
    public async Task RunAsync(Framing framing)
    {
        if (framing.IsChunked)
        {
            await CopyChunksAsync();
        }
        else
        {
            await CopyAsync(framing.Length ?? long.MaxValue, framing.EndsWithConnection);
        }

        IsRead = true;
        if (isChunked)
        {
            to.Write("0\r\n\r\n"u8);
        }

        await FlushAsync();
    }

    private async Task CopyChunksAsync()
    {
        while (await ReadChunkSizeAsync() is > 0 and var size)
        {
            await CopyAsync(size, endsWithConnection: false);
            if ((await ReadLineAsync()).Length > 0)
            {
                throw new HttpFormatException("a chunk is longer than it says");
            }
        }

        // Trailers are dropped: only a client that sends TE gets them, and TE is not passed on.
        for (var room = MaxTrailers; await ReadLineAsync() is { Length: > 0 } line;)
        {
            room -= line.Length;
            if (room < 0)
            {
                throw new HttpFormatException("its trailers are too long");
            }
        }
    }

    private async Task<long> ReadChunkSizeAsync()
    {
        var digits = (await ReadLineAsync()).Split(';')[0].TrimEnd(' ', '\t');
        return digits.Length <= 15 && long.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size)
            ? size
            : throw new HttpFormatException("a chunk has no size");
    }

    private async Task CopyAsync(long count, bool endsWithConnection)
    {
        while (count > 0)
        {
            var result = await ReadAsync();
            var part = result.Buffer.Slice(0, Math.Min(count, result.Buffer.Length));
            Write(part);
            count -= part.Length;
            var isEnd = part.IsEmpty && result.IsCompleted;
            from.AdvanceTo(part.End);
            if (isEnd)
            {
                if (!endsWithConnection)
                {
                    throw new HttpFormatException("the connection ended inside a body");
                }

                return;
            }
        }
    }

    private async Task<string> ReadLineAsync()
    {
        while (true)
        {
            var result = await ReadAsync();
            var buffer = result.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } end && buffer.Slice(0, end) is { Length: <= MaxLine } found)
            {
                // Some read a lone LF or CR as the end of a line and some do not.
                var line = Encoding.Latin1.GetString(found);
                from.AdvanceTo(buffer.GetPosition(1, end));
                return line.IndexOf('\r') == line.Length - 1 && line.Length > 0
                    ? line[..^1]
                    : throw new HttpFormatException("a line of its chunks does not end with CR and LF");
            }

            from.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted || buffer.Length > MaxLine)
            {
                throw new HttpFormatException("a chunked body breaks off");
            }
        }
    }

    // Before it waits for more bytes it sends those it has.
    private async ValueTask<ReadResult> ReadAsync()
    {
        var ahead = from.ReadAhead();
        if (!ahead.IsCompleted || _unflushed >= MaxUnflushed)
        {
            await FlushAsync();
        }

        if (!await IsInTimeAsync(ahead, ReadTimeout))
        {
            throw new HttpFormatException($"no byte of its body came for {GoDuration.Format(ReadTimeout)}", status: 408);
        }

        var result = await from.ReadAsync();
        if (result.IsCanceled)
        {
            from.AdvanceTo(result.Buffer.Start);
            throw new OperationCanceledException();
        }

        return result;
    }

    private void Write(ReadOnlySequence<byte> part)
    {
        if (part.IsEmpty)
        {
            return;
        }

        if (isChunked)
        {
            to.Write(Encoding.ASCII.GetBytes($"{part.Length:x}\r\n"));
        }

        foreach (var segment in part)
        {
            to.Write(segment.Span);
        }

        if (isChunked)
        {
            to.Write("\r\n"u8);
        }

        _unflushed += part.Length;
    }

    private async ValueTask FlushAsync()
    {
        _unflushed = 0;
        (IsWriting, HasSent) = (true, true);
        if (!await IsInTimeAsync(to.FlushAsync().AsTask(), WriteTimeout))
        {
            throw new TimeoutException();
        }

        IsWriting = false;
    }

    private async Task<bool> IsInTimeAsync(Task task, TimeSpan limit)
    {
        while (!task.IsCompleted)
        {
            try
            {
                await task.WaitAsync(limit, time);
            }
            catch (TimeoutException) when (!task.IsCompleted)
            {
                if (!MayPause)
                {
                    return false;
                }
            }
        }

        await task;
        return true;
    }
}
