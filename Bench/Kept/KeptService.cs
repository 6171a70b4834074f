using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;

namespace Whip.Bench.Kept;

/// <summary>The service of the dials: on a port for each worker, every other one of which speaks first; and beside each a port where nobody listens.</summary>
internal sealed class KeptService : IAsyncDisposable
{
    private const int Endless = 64 * 1024 * 1024;
    private const int PieceSize = 20_000;
    private const int SlowPiece = 700;

    private readonly KeptTally _tally;
    private readonly SocketListener[] _listeners;
    private readonly Socket[] _deaf;
    private readonly Dictionary<int, int> _workers = [];
    private int _conversations;

    public KeptService(KeptTally tally, int workers)
    {
        _tally = tally;
        _listeners = [.. Enumerable.Range(0, workers).Select(_ => new SocketListener(
            "service", new IPEndPoint(IPAddress.Loopback, 0), int.MaxValue, DescriptorBudget.OfProcess(), NullLogger.Instance, TimeProvider.System))];
        _deaf = [.. _listeners.Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))];
        Array.ForEach(_deaf, socket => socket.Bind(new IPEndPoint(IPAddress.Loopback, 0)));
        for (var i = 0; i < workers; i++)
        {
            var speaksFirst = SpeaksFirst(i);
            _listeners[i].Start((leg, _, stop) => ServeAsync(leg, speaksFirst, stop));
            (_workers[Port(i, isRefused: false)], _workers[Port(i, isRefused: true)]) = (i, i);
        }
    }

    public IReadOnlyCollection<int> Ports => _workers.Keys;

    /// <summary>Connections that have not ended.</summary>
    public int Serving => _listeners.Sum(listener => listener.ConnectionCount);

    public static bool SpeaksFirst(int worker) => worker % 2 == 1;

    /// <summary>Who dials a port.</summary>
    public int Worker(int port) => _workers[port];

    public int Port(int worker, bool isRefused) =>
        isRefused ? ((IPEndPoint)_deaf[worker].LocalEndPoint!).Port : _listeners[worker].LocalEndPoint.Port;

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_listeners.Select(listener => listener.DisposeAsync().AsTask()));
        Array.ForEach(_deaf, socket => socket.Dispose());
    }

    private async Task ServeAsync(Leg leg, bool speaksFirst, CancellationToken stop)
    {
        await using var cut = stop.UnsafeRegister(static leg => ((Leg)leg!).Abort(), leg);
        var conversation = new KeptConversation(Interlocked.Increment(ref _conversations), leg, speaksFirst);
        try
        {
            await conversation.GreetAsync();
            if (await ReadDialAsync(conversation) is { } dial)
            {
                await ServeAsync(conversation, dial);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // Before the dialer was heard: the dial was given up, or is repeated on another connection. Its dialer says whether that was due.
        }

        leg.Abort();
    }

    private async Task<KeptDial?> ReadDialAsync(KeptConversation conversation)
    {
        var head = new byte[KeptDial.HeadSize];
        if (await conversation.Leg.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false) < head.Length)
        {
            _tally.Wrong("a clean end at the service before the dialer's head");
        }
        else if (KeptDial.Parse(KeptDial.DialerMark, head) is not { } number || _tally.Dial(number) is not { } dial)
        {
            _tally.Wrong($"the service got foreign bytes in place of a dialer's head: {Convert.ToHexString(head)}");
        }
        else if (!dial.TryClaim(conversation))
        {
            _tally.Wrong($"{dial}: its bytes came to two connections of the service");
        }
        else
        {
            return dial;
        }

        return null;
    }

    private async Task ServeAsync(KeptConversation conversation, KeptDial dial)
    {
        var position = 0;
        Exception? reset = null;
        try
        {
            switch (dial.Service)
            {
                case ServiceWay.SendsForEver:
                    await SendForEverAsync(conversation, dial);
                    return;
                case ServiceWay.Resets:
                    await ResetAsync(conversation, dial);
                    return;
                case ServiceWay.EndsLast:
                    await ReceiveAsync();
                    await conversation.SendAsync(dial);
                    break;
                case ServiceWay.EndsFirst:
                    await conversation.SendAsync(dial);
                    await ReceiveAsync();
                    break;
                default:
                    await Task.WhenAll(ReceiveAsync(), conversation.SendAsync(dial));
                    break;
            }

            await conversation.Leg.DisposeAsync();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            reset = error;
        }

        _tally.Wrong(dial, dial.Judge(isUp: true, position == dial.UpLength, reset));

        async Task ReceiveAsync()
        {
            await Task.Delay(dial.Pause);
            var buffer = new byte[dial.IsSlow ? SlowPiece : PieceSize];
            while (await conversation.Leg.ReadAsync(buffer) is > 0 and var read)
            {
                if (position + read > dial.UpLength || !KeptDial.Matches(dial.Number, position, buffer.AsSpan(0, read)))
                {
                    _tally.Wrong($"{dial}: foreign bytes at the service");
                }

                position += read;
                await (dial.IsSlow ? Task.Run(static () => { }) : Task.CompletedTask);
            }
        }
    }

    /// <summary>The dialer has left, and the service has to notice it.</summary>
    private async Task SendForEverAsync(KeptConversation conversation, KeptDial dial)
    {
        for (var sent = 0; sent < Endless; sent += PieceSize)
        {
            await conversation.Leg.WriteAsync(KeptDial.Bytes(-conversation.Number, 0, PieceSize));
        }

        _tally.Wrong($"{dial}: the service could send {Endless} bytes to nobody");
    }

    private async Task ResetAsync(KeptConversation conversation, KeptDial dial)
    {
        switch (dial.ResetAt)
        {
            case DialState.AskerEnded:
                await conversation.Leg.CopyToAsync(Stream.Null);
                break;
            case DialState.ServerEnded:
                await conversation.SendAsync(dial);
                break;
            default:
                await conversation.SendHalfAsync(dial);
                break;
        }

        _tally.Reached("service", dial.ResetAt);
    }
}

/// <summary>One connection of the service.</summary>
/// <param name="number">Tells its bytes from those of every other.</param>
/// <param name="leg">The connection.</param>
/// <param name="speaksFirst">It says something before it has heard who is there.</param>
internal sealed class KeptConversation(int number, Leg leg, bool speaksFirst)
{
    private int _sent = -KeptDial.HeadSize;

    public int Number => number;

    public Leg Leg => leg;

    public Task GreetAsync() => speaksFirst ? SendAsync(KeptDial.GreetingSize) : Task.CompletedTask;

    /// <summary>All that is left, and the end.</summary>
    public async Task SendAsync(KeptDial dial)
    {
        await SendAsync(dial.DownLength(speaksFirst));
        dial.IsDownEnded = true;
        await leg.CompleteWritesAsync();
    }

    public Task SendHalfAsync(KeptDial dial) => SendAsync(dial.DownLength(speaksFirst) / 2);

    private async Task SendAsync(int end)
    {
        if (_sent < 0 && end >= KeptDial.HeadSize)
        {
            _sent = 0;
            await leg.WriteAsync(KeptDial.Head(KeptDial.ServiceMark, number));
        }

        for (; _sent < end - KeptDial.HeadSize; _sent += Math.Min(Pattern.MaxPiece, end - KeptDial.HeadSize - _sent))
        {
            await leg.WriteAsync(KeptDial.Bytes(-number, _sent, Math.Min(Pattern.MaxPiece, end - KeptDial.HeadSize - _sent)));
        }
    }
}
