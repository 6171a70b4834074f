using System.Net;
using Whip.Bench.Measuring;
using Whip.Protocol;
using Whip.Protocol.Legs;

namespace Whip.Bench.Beside;

/// <summary>What stands between the generator and the service.</summary>
/// <param name="Name">Such as <c>haproxy-mtls</c>.</param>
/// <param name="DialAsync">Opens a stream through it.</param>
/// <param name="Processes">By the place that they have: <c>broker</c> is also what stands in the broker's place.</param>
/// <param name="CountAsync">What its hops have seen so far.</param>
/// <param name="Owner">Ends it.</param>
internal sealed record Subject(
    string Name,
    Func<Deadline, Task<WhipStream>> DialAsync,
    (string Place, int Id)[] Processes,
    Func<CancellationToken, Task<HopCounts>> CountAsync,
    IAsyncDisposable Owner) : IAsyncDisposable
{
    public bool IsWhip => Owner is MeasuredWhip;

    /// <summary>Its connections carry one dial after the other.</summary>
    public bool IsKept { get; init; }

    /// <summary>Where the generator does its handshakes; null if it does none.</summary>
    public IPEndPoint? TlsFront { get; init; }

    /// <summary>What a dial of it is: the same for all.</summary>
    public static async Task ExchangeAsync(Stream stream, CancellationToken cancellationToken)
    {
        var message = new[] { CheckingService.Repeat };
        await stream.WriteAsync(message, cancellationToken);
        message[0] = 0;
        await stream.ReadExactlyAsync(message, cancellationToken);
        if (message[0] != CheckingService.Repeat)
        {
            throw new DialFailedException("another byte came back");
        }
    }

    public ValueTask DisposeAsync() => Owner.DisposeAsync();
}

/// <summary>How many connections each hop has seen, and how many of their handshakes resumed a session; empty if it does not tell.</summary>
internal sealed record HopCounts(long[] Connections, long[] Resumed)
{
    public static readonly HopCounts None = new([], []);

    public static HopCounts operator -(HopCounts after, HopCounts before) => new(
        [.. after.Connections.Zip(before.Connections, static (a, b) => a - b)], [.. after.Resumed.Zip(before.Resumed, static (a, b) => a - b)]);
}
