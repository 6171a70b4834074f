using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Whip.Protocol.Legs;

namespace Whip.AspNetCore.Dials;

/// <summary>
/// The two pipes between a relay and the app, as the stream that the relay has. PipeReader.Create and PipeWriter.Create over the leg would save a copy, but see
/// the dialer's reset only when the app reads, and take neither frames nor the limits of a relay.
/// </summary>
internal sealed class DialPipe : WhipStream
{
    // As Kestrel's own connections have: the app reads behind by this much, and writes ahead by that.
    private const int MostUnread = 1024 * 1024;
    private const int MostUnsent = 128 * 1024;

    private readonly Pipe _toApp;
    private readonly Pipe _fromApp;
    private volatile bool _isAborted;

    public DialPipe(MemoryPool<byte> memory)
    {
        _toApp = NewPipe(memory, MostUnread);
        _fromApp = NewPipe(memory, MostUnsent);
        App = new AppSide(_toApp.Reader, _fromApp.Writer);
    }

    /// <summary>What the app has.</summary>
    public IDuplexPipe App { get; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await OfAppAsync(_fromApp.Reader.ReadAsync(cancellationToken));
        var count = (int)Math.Min(read.Buffer.Length, _isAborted ? 0 : buffer.Length);
        var taken = read.Buffer.Slice(0, count);
        taken.CopyTo(buffer.Span);
        _fromApp.Reader.AdvanceTo(taken.End);
        ThrowIfAborted();
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var flush = await OfAppAsync(_toApp.Writer.WriteAsync(buffer, cancellationToken));
        ThrowIfAborted();
        if (flush.IsCompleted)
        {
            throw new IOException("the app has closed the connection");
        }
    }

    public override ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default) => _toApp.Writer.CompleteAsync();

    public override void Abort()
    {
        // A pipe may be completed only by who reads or writes it: both are woken, and the relay disposes this afterwards.
        _isAborted = true;
        _toApp.Writer.CancelPendingFlush();
        _fromApp.Reader.CancelPendingRead();
    }

    public override async ValueTask DisposeAsync()
    {
        await _toApp.Writer.CompleteAsync(_isAborted ? new ConnectionResetException("the dial was reset") : null);
        await _fromApp.Reader.CompleteAsync();
        await base.DisposeAsync();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    internal override void OnReleased(Action callback) => throw new NotSupportedException();

    private static Pipe NewPipe(MemoryPool<byte> memory, int most) =>
        new(new PipeOptions(memory, pauseWriterThreshold: most, resumeWriterThreshold: most / 2, useSynchronizationContext: false));

    /// <summary>Where the app has completed its end with an exception, this throws it.</summary>
    private static async ValueTask<T> OfAppAsync<T>(ValueTask<T> operation)
    {
        try
        {
            return await operation;
        }
        catch (Exception error) when (error is not IOException)
        {
            throw new IOException("the app has reset the connection", error);
        }
    }

    private void ThrowIfAborted()
    {
        if (_isAborted)
        {
            throw new IOException("the dial was reset");
        }
    }

    private sealed record AppSide(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
