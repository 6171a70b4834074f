using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;

namespace Whip.Harness.Checking;

/// <summary>
/// The service behind the measured agent, on raw TCP. The first byte of a connection says what it is for; whatever is not as it must be
/// ends in a reset, which the dialer counts as a failure.
/// </summary>
internal sealed class CheckingService : IAsyncDisposable
{
    /// <summary>Then a <see cref="Nonce"/> question; it is answered, and the connection stays until the dialer ends it.</summary>
    public const byte Answer = (byte)'n';

    /// <summary>Then a position, and one byte for every <see cref="Portion"/> of the <see cref="Pattern"/> that is to come from there on.</summary>
    public const byte Download = (byte)'d';

    /// <summary>Then a position and the <see cref="Pattern"/> from there on; at its end the number of bytes comes back, if all were right.</summary>
    public const byte Upload = (byte)'u';

    /// <summary>Then a position, a length and so much of the <see cref="Pattern"/> from there on; every piece is compared and comes back.</summary>
    public const byte Echo = (byte)'e';

    public const int Portion = 16 * Pattern.MaxPiece;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskTracker _serving = new(e => Environment.FailFast("the service of the benchmark broke", e));
    private readonly Task _accepting;
    private long _uploaded;

    public CheckingService()
    {
        _listener.Start(backlog: 1024);
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Bytes of all uploads, each compared.</summary>
    public long Uploaded => Interlocked.Read(ref _uploaded);

    /// <summary>How the echoes came to their end here.</summary>
    public EchoCounts Echoes { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        await _serving.WhenEmpty();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                _serving.Run(() => ServeAsync(socket));
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            var leg = new Leg(socket);
            await using var cut = _stop.Token.UnsafeRegister(static leg => ((Leg)leg!).Abort(), leg);
            var isRight = false;
            try
            {
                isRight = await ServeAsync(leg);
            }
            finally
            {
                if (!isRight)
                {
                    leg.Abort();
                }

                await leg.DisposeAsync();
            }
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException)
        {
            // The dialer sees the same.
        }
    }

    private async Task<bool> ServeAsync(Leg leg)
    {
        var buffer = new byte[1 + Nonce.QuestionSize];
        await leg.ReadExactlyAsync(buffer.AsMemory(0, 1 + sizeof(long)));
        switch (buffer[0])
        {
            case Answer:
                await leg.ReadExactlyAsync(buffer.AsMemory(1 + sizeof(long)));
                return await AnswerAsync(leg, buffer);
            case Download:
                await SendAsync(leg, BinaryPrimitives.ReadInt64LittleEndian(buffer.AsSpan(1)), buffer.AsMemory(0, 1));
                return true;
            case Upload:
                return await ReceiveAsync(leg, BinaryPrimitives.ReadInt64LittleEndian(buffer.AsSpan(1)));
            case Echo:
                var length = new byte[sizeof(long)];
                await leg.ReadExactlyAsync(length);
                return await EchoAsync(leg, BinaryPrimitives.ReadInt64LittleEndian(buffer.AsSpan(1)), BinaryPrimitives.ReadInt64LittleEndian(length));
            default:
                return false;
        }
    }

    private static async Task<bool> AnswerAsync(Leg leg, byte[] question)
    {
        var answer = new byte[Nonce.AnswerSize];
        if (!Nonce.TryAnswer(question.AsSpan(1), answer))
        {
            return false;
        }

        await leg.WriteAsync(answer);
        return await leg.ReadAsync(answer) == 0;
    }

    private static async Task SendAsync(Leg leg, long position, Memory<byte> order)
    {
        while (await leg.ReadAsync(order) > 0)
        {
            for (var end = position + Portion; position < end; position += Pattern.MaxPiece)
            {
                await leg.WriteAsync(Pattern.At(position, Pattern.MaxPiece));
            }
        }
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
                    Echoes.Count(EchoEnd.Wrong);
                    return false;
                }

                position += read;
                await leg.WriteAsync(buffer.AsMemory(0, read));
            }

            Echoes.Count(position == start + length ? EchoEnd.Whole : EchoEnd.EarlyEnd);
            return position == start + length;
        }
        catch (IOException)
        {
            Echoes.Count(EchoEnd.Reset);
            throw;
        }
    }
}
