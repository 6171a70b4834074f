using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Threading.Channels;
using Google.Protobuf;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;
using static Whip.Bench.Fuzz.Http2Bytes;

namespace Whip.Bench.Fuzz;

/// <summary>
/// The broker's side of one control stream, in HTTP/2 by hand: the agent's pings are answered, and any bytes can be sent as messages. One input at a
/// time sends.
/// </summary>
internal sealed class FuzzStream(Leg leg)
{
    private const int FrameHead = 9;
    private const int MaxFrame = 16 * 1024;
    private const int MessageHead = 5;
    private const int FirstWindow = 65_535;

    // Less than an agent's window, and more than an agent takes.
    private const int MostSent = 100_000;

    // Left for pongs, which do not wait.
    private const int Spare = 4096;

    private const byte InitialWindowSize = 4;

    // An agent may send 2 GiB in all.
    private static readonly byte[] Opening =
    [
        .. Frame(Settings, 0, 0, [0, InitialWindowSize, 0x7f, 0xff, 0xff, 0xff]), .. Frame(WindowUpdate, 0, 0, [0x7f, 0xff, 0, 0]),
    ];

    private readonly Channel<byte[]> _outbox = Channel.CreateUnbounded<byte[]>();
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ConcurrentDictionary<string, bool> _failed = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] _received = [];
    private long _window = FirstWindow;
    private long _initialWindow = FirstWindow;
    private ulong _ponged;

    public Leg Leg => leg;

    public bool HasEnded => _ended.Task.IsCompleted;

    /// <summary>Reads until the agent has begun its call; false if it has not.</summary>
    public async Task<bool> OpenAsync(CancellationToken cancellationToken)
    {
        await leg.ReadExactlyAsync(new byte[Preface.Length], cancellationToken);
        await leg.WriteAsync(Opening, cancellationToken);
        while (true)
        {
            var (type, _) = await ReadFrameAsync(cancellationToken);
            while (_outbox.Reader.TryRead(out var bytes))
            {
                await leg.WriteAsync(bytes, cancellationToken);
            }

            if (type is Headers or GoAway)
            {
                return type == Headers;
            }
        }
    }

    /// <summary>Reads and writes until one of the two ends the stream.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var (reading, writing) = (ReadAsync(cancellationToken), WriteAsync(cancellationToken));
        await Task.WhenAny(reading, writing);
        leg.Abort();
        _outbox.Writer.TryComplete();
        _ended.TrySetResult();
        await Task.WhenAll(reading, writing);
    }

    /// <summary>Sends frames of HTTP/2.</summary>
    public void Send(byte[] frames) => _outbox.Writer.TryWrite(frames);

    /// <summary>Sends one message with its head, or its first 100 kB, when the agent lets it.</summary>
    public async Task SendMessageAsync(byte[] message, CancellationToken cancellationToken)
    {
        var sent = Math.Min(message.Length, MostSent);
        await UntilAsync(() => Interlocked.Read(ref _window) >= sent + Spare, _ended.Task, cancellationToken);
        Interlocked.Add(ref _window, -sent);

        // As one, so that no pong comes between them.
        Send([.. message[..sent].Chunk(MaxFrame).SelectMany(part => Frame(Data, 0, 1, part))]);
    }

    /// <summary>Returns when the agent has answered all that was sent, or the stream has ended.</summary>
    public async Task FlushAsync(ulong sequence, CancellationToken cancellationToken)
    {
        var ping = new ResponseStream { Ping = new Ping { Sequence = sequence, PingTimestamp = new() } };
        await SendMessageAsync(Message(ping.ToByteArray()), cancellationToken);
        await UntilAsync(() => Volatile.Read(ref _ponged) == sequence, _ended.Task, cancellationToken);
    }

    /// <summary>Returns when the leg has come, the agent has said that it does not, or the stream has ended.</summary>
    public Task WhenLegAsync(string id, Task coming, CancellationToken cancellationToken) =>
        UntilAsync(() => _failed.ContainsKey(id), coming, cancellationToken);

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        while (await ReadFrameAsync(cancellationToken) is (not (Reset or GoAway), false))
        {
        }
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        await foreach (var bytes in _outbox.Reader.ReadAllAsync(cancellationToken))
        {
            await leg.WriteAsync(bytes, cancellationToken);
        }
    }

    private async Task UntilAsync(Func<bool> isSo, Task other, CancellationToken cancellationToken)
    {
        while (!isSo() && !other.IsCompleted && !HasEnded)
        {
            await Task.WhenAny(_changed.Reader.WaitToReadAsync(cancellationToken).AsTask(), other, _ended.Task);
            cancellationToken.ThrowIfCancellationRequested();
            _changed.Reader.TryRead(out _);
        }
    }

    private async ValueTask<(byte Type, bool IsLast)> ReadFrameAsync(CancellationToken cancellationToken)
    {
        var head = new byte[FrameHead];
        await leg.ReadExactlyAsync(head, cancellationToken);
        var (type, flags, payload) = (head[3], head[4], new byte[BinaryPrimitives.ReadInt32BigEndian(head) >>> 8]);
        await leg.ReadExactlyAsync(payload, cancellationToken);
        switch (type)
        {
            case Settings when (flags & Ack) == 0:
                Apply(payload);
                Send(Frame(Settings, Ack, 0, []));
                break;
            case Http2Bytes.Ping when (flags & Ack) == 0:
                Send(Frame(Http2Bytes.Ping, Ack, 0, payload));
                break;
            case WindowUpdate when head[8] != 0:
                Interlocked.Add(ref _window, BinaryPrimitives.ReadInt32BigEndian(payload));
                break;
            case Data:
                _received = [.. _received, .. payload];
                TakeMessages();
                break;
        }

        _changed.Writer.TryWrite(true);
        return (type, type is Data or Headers && (flags & EndStream) != 0);
    }

    private void Apply(byte[] settings)
    {
        foreach (var setting in settings.Chunk(6).Where(setting => setting[1] == InitialWindowSize))
        {
            var size = BinaryPrimitives.ReadInt32BigEndian(setting.AsSpan(2));
            Interlocked.Add(ref _window, size - _initialWindow);
            _initialWindow = size;
        }
    }

    private void TakeMessages()
    {
        while (_received.Length >= MessageHead && BinaryPrimitives.ReadInt32BigEndian(_received.AsSpan(1)) + MessageHead is var end && end <= _received.Length)
        {
            var message = RequestStream.Parser.ParseFrom(_received.AsSpan(MessageHead, end - MessageHead));
            _received = _received[end..];
            switch (message.StreamCase)
            {
                case RequestStream.StreamOneofCase.Ping:
                    var pong = Message(new ResponseStream { Pong = new Pong { Sequence = message.Ping.Sequence } }.ToByteArray());
                    Interlocked.Add(ref _window, -pong.Length);
                    Send(Frame(Data, 0, 1, pong));
                    break;
                case RequestStream.StreamOneofCase.Pong:
                    Volatile.Write(ref _ponged, message.Pong.Sequence);
                    break;
                case RequestStream.StreamOneofCase.ConnectFailed when message.ConnectFailed.ConnectionID is var id && FuzzBroker.IsOurs(id):
                    _failed[id] = true;
                    break;
            }
        }
    }
}
