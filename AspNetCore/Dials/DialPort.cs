using System.Buffers;
using System.IO.Pipelines;
using Whip.Protocol;

namespace Whip.AspNetCore.Dials;

/// <summary>One published port, and which listener has its dials.</summary>
internal sealed class DialPort(DialServer server, TimeProvider time)
{
    // RFC 9113 §3.4: how a client of HTTP/2 begins without TLS, and no request of HTTP/1.1 does.
    private static readonly byte[] Preface = [.. "PRI * HTTP/2.0"u8];

    private DialListener? _listener;
    private DialListener? _forHttp2;
    private TimeSpan _silence;

    public DialServer Server => server;

    public WhipEndPoint EndPoint => (WhipEndPoint)_listener!.EndPoint;

    /// <param name="listener">Gets the dials.</param>
    /// <param name="silence">How long a dialer may say nothing before it is known which listener that is.</param>
    public void Bind(DialListener listener, TimeSpan silence)
    {
        _silence = silence;
        if (((WhipEndPoint)listener.EndPoint).IsForHttp2)
        {
            _forHttp2 = listener;
        }
        else
        {
            _listener = listener;
        }
    }

    /// <summary>Gives the connection to Kestrel, or ends it. Never throws.</summary>
    public async Task OfferAsync(DialConnection connection)
    {
        if (_forHttp2 is null)
        {
            Offer(_listener!, connection);
            server.Settled();
            return;
        }

        server.Settled();
        try
        {
            using var silence = new Deadline(_silence < TimeSpan.MaxValue ? _silence : Timeout.InfiniteTimeSpan, time, server.HasDetached);
            Offer(await IsHttp2Async(connection.Transport.Input, silence.Token) ? _forHttp2 : _listener!, connection);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            await connection.DisposeAsync();
        }
    }

    private static void Offer(DialListener listener, DialConnection connection)
    {
        if (!listener.TryOffer(connection))
        {
            connection.Abort();
        }
    }

    private static async ValueTask<bool> IsHttp2Async(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            var (isHttp2, isSure) = Judge(read.Buffer);
            isSure |= read.IsCompleted;
            input.AdvanceTo(read.Buffer.Start, isSure ? read.Buffer.Start : read.Buffer.End);
            if (isSure)
            {
                return isHttp2;
            }
        }
    }

    private static (bool IsHttp2, bool IsSure) Judge(ReadOnlySequence<byte> bytes)
    {
        Span<byte> start = stackalloc byte[(int)Math.Min(bytes.Length, Preface.Length)];
        bytes.Slice(0, start.Length).CopyTo(start);
        var canBe = Preface.AsSpan().StartsWith(start);
        var isWhole = start.Length == Preface.Length;
        return (canBe && isWhole, !canBe || isWhole);
    }
}
