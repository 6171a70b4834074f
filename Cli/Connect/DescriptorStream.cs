using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Whip.Cli.Connect;

/// <summary>
/// An open file by read(2) and write(2). A FileStream keeps an offset of its own for a regular file, so what others read and write by the
/// same descriptor is read twice and overwritten. The streams of the console report success for a write to a broken pipe.
/// </summary>
internal sealed partial class DescriptorStream(SafeFileHandle descriptor) : Stream
{
    private const int Interrupted = 4;
    private const int WouldBlock = 11;
    private const short Readable = 1;
    private const short Writable = 4;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        nint read;
        do
        {
            read = Read(descriptor, ref MemoryMarshal.GetReference(buffer), buffer.Length);
        }
        while (read < 0 && MayRetry(Readable));

        return (int)read;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var written = Write(descriptor, in MemoryMarshal.GetReference(buffer), buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
            }
            else
            {
                MayRetry(Writable);
            }
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    // A regular file or a terminal can only be read and written by a thread that waits.
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(Task.Run(() => Read(buffer.Span), cancellationToken));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(Task.Run(() => Write(buffer.Span), cancellationToken));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        descriptor.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>After a call that failed. Another program that has the same terminal or pipe may have made it non-blocking.</summary>
    /// <exception cref="IOException">The call would fail again.</exception>
    private bool MayRetry(short awaited)
    {
        switch (Marshal.GetLastPInvokeError())
        {
            case Interrupted:
                return true;
            case WouldBlock:
                var poll = new PollDescriptor { Descriptor = (int)descriptor.DangerousGetHandle(), Events = awaited };
                _ = Poll(ref poll, 1, -1);
                return true;
            default:
                throw new IOException(Marshal.GetLastPInvokeErrorMessage());
        }
    }

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle descriptor, ref byte buffer, nint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeFileHandle descriptor, ref readonly byte buffer, nint count);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollDescriptor descriptors, nuint count, int timeout);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
