using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;

namespace Whip.Harness.Checking;

/// <summary>
/// The service behind the measured agents, on raw TCP. The first byte of a connection selects what happens on it. Anything wrong ends in a reset,
/// which the dialer counts as a failure.
/// </summary>
internal sealed class CheckingService : IAsyncDisposable
{
    /// <summary>A <see cref="Nonce"/> question follows. It is answered, and the connection stays open until the dialer ends it.</summary>
    public const byte Answer = (byte)'n';

    /// <summary>Nothing follows. The byte itself is the answer, and the connection stays open until the dialer ends it.</summary>
    public const byte Repeat = (byte)'r';

    /// <summary>A position follows. The <see cref="Pattern"/> is sent from there on until the dialer has ended its direction.</summary>
    public const byte Download = (byte)'d';

    /// <summary>A position follows, then the <see cref="Pattern"/> from there on. At its end the number of bytes is sent back if all were right.</summary>
    public const byte Upload = (byte)'u';

    /// <summary>A position and a length follow, then that much of the <see cref="Pattern"/> from there on. Every piece is compared and sent back.</summary>
    public const byte Echo = (byte)'e';

    private readonly SocketListener _listener;
    private readonly ConcurrentQueue<EchoEnd> _echoes = [];
    private long _downloaded;
    private long _uploaded;

    /// <param name="port">0: a free one.</param>
    public CheckingService(int port = 0)
    {
        _listener = new SocketListener(
            "service", new IPEndPoint(IPAddress.Loopback, port), maxUnauthenticated: int.MaxValue, DescriptorBudget.OfProcess(),
            NullLogger.Instance, TimeProvider.System);
        _listener.Start((leg, _, stop) => ServeAsync(leg, stop));
    }

    public int Port => _listener.LocalEndPoint.Port;

    /// <summary>The bytes of all downloads that were sent.</summary>
    public long Downloaded => Interlocked.Read(ref _downloaded);

    /// <summary>The bytes of all uploads; each was compared.</summary>
    public long Uploaded => Interlocked.Read(ref _uploaded);

    /// <summary>How the echoes ended at this end.</summary>
    public IReadOnlyCollection<EchoEnd> Echoes => _echoes;

    /// <summary>What a dialer sends first.</summary>
    public static byte[] Request(byte purpose, params long[] numbers) => [purpose, .. numbers.SelectMany(BitConverter.GetBytes)];

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeAsync(Leg leg, CancellationToken stop)
    {
        await using var cut = stop.UnsafeRegister(static leg => ((Leg)leg!).Abort(), leg);
        try
        {
            if (!await ServeAsync(leg))
            {
                leg.Abort();
            }
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException)
        {
            // The dialer sees the same.
            leg.Abort();
        }

        await leg.DisposeAsync();
    }

    private async Task<bool> ServeAsync(Leg leg)
    {
        var purpose = new byte[1];
        await leg.ReadExactlyAsync(purpose);
        switch (purpose[0])
        {
            case Answer:
                return await AnswerAsync(leg);
            case Repeat:
                await leg.WriteAsync(purpose);
                return await leg.ReadAsync(purpose) == 0;
            case Download:
                return await SendAsync(leg, await ReadNumberAsync(leg));
            case Upload:
                return await ReceiveAsync(leg, await ReadNumberAsync(leg));
            case Echo:
                return await EchoAsync(leg, await ReadNumberAsync(leg), await ReadNumberAsync(leg));
            default:
                return false;
        }
    }

    private static async Task<long> ReadNumberAsync(Leg leg)
    {
        var bytes = new byte[sizeof(long)];
        await leg.ReadExactlyAsync(bytes);
        return BitConverter.ToInt64(bytes);
    }

    private static async Task<bool> AnswerAsync(Leg leg)
    {
        var (question, answer) = (new byte[Nonce.QuestionSize], new byte[Nonce.AnswerSize]);
        await leg.ReadExactlyAsync(question);
        if (!Nonce.TryAnswer(question, answer))
        {
            return false;
        }

        await leg.WriteAsync(answer);
        return await leg.ReadAsync(answer) == 0;
    }

    private async Task<bool> SendAsync(Leg leg, long position)
    {
        var ending = leg.ReadAsync(new byte[1]).AsTask();
        for (; !ending.IsCompleted; position += Pattern.MaxPiece)
        {
            await leg.WriteAsync(Pattern.At(position, Pattern.MaxPiece));
            Interlocked.Add(ref _downloaded, Pattern.MaxPiece);
        }

        return await ending == 0;
    }

    private async Task<bool> ReceiveAsync(Leg leg, long start)
    {
        var buffer = new byte[Pattern.MaxPiece];
        var position = start;
        while (await leg.ReadAsync(buffer) is > 0 and var read)
        {
            if (!Pattern.Matches(position, buffer.AsSpan(0, read)))
            {
                return false;
            }

            position += read;
            Interlocked.Add(ref _uploaded, read);
        }

        await leg.WriteAsync(BitConverter.GetBytes(position - start));
        return true;
    }

    private async Task<bool> EchoAsync(Leg leg, long start, long length)
    {
        var buffer = new byte[Pattern.MaxPiece];
        try
        {
            var position = start;
            while (await leg.ReadAsync(buffer) is > 0 and var read)
            {
                if (!Pattern.Matches(position, buffer.AsSpan(0, read)))
                {
                    _echoes.Enqueue(EchoEnd.Wrong);
                    return false;
                }

                position += read;
                await leg.WriteAsync(buffer.AsMemory(0, read));
            }

            _echoes.Enqueue(position == start + length ? EchoEnd.Whole : EchoEnd.EarlyEnd);
            return position == start + length;
        }
        catch (IOException)
        {
            _echoes.Enqueue(EchoEnd.Reset);
            throw;
        }
    }
}
