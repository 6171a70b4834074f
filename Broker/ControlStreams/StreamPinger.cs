using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Whip.Protocol.Messages;

namespace Whip.Broker.ControlStreams;

/// <summary>Pings every stream and ends those that do not answer, in one loop: a timer for each stream would cost more than a check once a second.</summary>
internal sealed class StreamPinger(LiveStreams streams, WhipLimits limits, TimeProvider time)
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Tick, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            CheckStreams();
        }
    }

    private void CheckStreams()
    {
        foreach (var stream in streams.All)
        {
            if (stream.Pings.Silence >= limits.PongTimeout)
            {
                stream.End(StatusCode.Unavailable, $"no pong for {limits.PongTimeout.TotalSeconds:0} s");
            }
            else if (stream.Pings.NextPing(limits.PingInterval) is { } sequence)
            {
                stream.TrySend(new ResponseStream
                {
                    Ping = new Ping { Sequence = sequence, PingTimestamp = Timestamp.FromDateTimeOffset(time.GetUtcNow()) },
                });
            }
        }
    }
}
