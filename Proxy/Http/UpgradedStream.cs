using System.Buffers;
using System.Net.Security;
using Whip.Protocol.Legs;

namespace Whip.Proxy.Http;

/// <summary>A connection that has left HTTP: reads give the bytes that were read too far first; everything else goes straight to the stream.</summary>
internal sealed class UpgradedStream(HttpStream http, Stream stream, WhipStream beneath) : WhipStream
{
    private byte[]? _unread;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _unread ??= await TakeUnreadAsync(cancellationToken);
        if (_unread.Length == 0)
        {
            return await stream.ReadAsync(buffer, cancellationToken);
        }

        var taken = Math.Min(buffer.Length, _unread.Length);
        _unread.AsSpan(0, taken).CopyTo(buffer.Span);
        _unread = _unread[taken..];
        return taken;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        stream.WriteAsync(buffer, cancellationToken);

    public override async ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        if (stream is SslStream tls)
        {
            await tls.ShutdownAsync().WaitAsync(cancellationToken);
        }
        else
        {
            await beneath.CompleteWritesAsync(cancellationToken);
        }
    }

    internal override void OnReleased(Action callback) => beneath.OnReleased(callback);

    public override void Abort() => beneath.Abort();

    public override async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        await beneath.DisposeAsync();
        await base.DisposeAsync();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("read asynchronously");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("write asynchronously");

    // A read that is under way belongs to HTTP's buffer: it is awaited, and its bytes come first. If it meets the end, so does the next read
    // of the stream.
    private async ValueTask<byte[]> TakeUnreadAsync(CancellationToken cancellationToken)
    {
        if (http.Ahead is not null)
        {
            await http.Ahead.WaitAsync(cancellationToken);
            var result = await http.ReadAsync();
            var unread = result.Buffer.ToArray();
            http.AdvanceTo(result.Buffer.End);
            return unread;
        }

        return http.TakeUnread();
    }
}
