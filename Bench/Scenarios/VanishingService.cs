using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;

namespace Whip.Bench.Scenarios;

/// <summary>
/// The service behind relays one of whose ends vanishes or stops. The first byte of a connection is the name of its relay, and says what happens on it.
/// Remembers when each ended.
/// </summary>
internal sealed class VanishingService : IAsyncDisposable
{
    /// <summary>Names of relays on which the service sends for ever, slowly.</summary>
    public const string Sending = "bB";

    /// <summary>Names of relays on which the service sends <see cref="Length"/> bytes of the <see cref="Pattern"/> as fast as they are taken.</summary>
    public const string Fast = "ps";

    public const int Length = 64 * 1024 * 1024;

    /// <summary>What is sent slowly.</summary>
    public static readonly byte[] Piece = new byte[4096];

    /// <summary>After each <see cref="Piece"/>.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly SocketListener _listener = new(
        "service", new IPEndPoint(IPAddress.Any, 0), maxUnauthenticated: int.MaxValue, DescriptorBudget.OfProcess(), NullLogger.Instance, TimeProvider.System);

    private readonly ConcurrentDictionary<char, long> _begun = new();
    private readonly ConcurrentDictionary<char, long> _ended = new();

    public VanishingService() => _listener.Start((leg, _, stop) => ServeAsync(leg, stop));

    public int Port => _listener.LocalEndPoint.Port;

    /// <summary>How many relays have reached the service.</summary>
    public int Begun => _begun.Count;

    /// <summary>The time from <paramref name="since"/> to the end of the relay at the service; null if it has not ended.</summary>
    public TimeSpan? EndOf(char relay, long since) => _ended.TryGetValue(relay, out var end) ? Stopwatch.GetElapsedTime(since, end) : null;

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeAsync(Leg leg, CancellationToken stop)
    {
        await using var cut = stop.UnsafeRegister(static leg => ((Leg)leg!).Abort(), leg);
        var bytes = new byte[1024];
        var relay = '\0';
        try
        {
            await leg.ReadExactlyAsync(bytes.AsMemory(0, 1), stop);
            relay = (char)bytes[0];
            _begun[relay] = Stopwatch.GetTimestamp();
            await SendAsync(relay, leg, stop);
            while (await leg.ReadAsync(bytes, stop) > 0)
            {
            }
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The relay has ended.
        }

        _ended[relay] = Stopwatch.GetTimestamp();
        leg.Abort();
    }

    private static async Task SendAsync(char relay, Leg leg, CancellationToken stop)
    {
        while (Sending.Contains(relay))
        {
            await leg.WriteAsync(Piece, stop);
            await Task.Delay(Pause, stop);
        }

        for (var sent = 0; Fast.Contains(relay) && sent < Length; sent += Pattern.MaxPiece)
        {
            await leg.WriteAsync(Pattern.At(sent, Pattern.MaxPiece), stop);
        }

        if (Fast.Contains(relay))
        {
            await leg.CompleteWritesAsync(stop);
        }
    }
}
