using Grpc.Core;
using Whip.Protocol.Messages;

namespace Whip.Broker.ControlStreams;

/// <summary>
/// Sends the agents of a broker that is about to leave elsewhere: one by one, so that the others are not asked for all of them at
/// once. An agent attaches elsewhere before it detaches here; one that knows no other broker stays to the end.
/// </summary>
internal sealed class AgentDrain(LiveStreams streams, TimeProvider time)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>Tells every agent that is here now, and returns when the last has gone, within these bounds.</summary>
    /// <param name="spread">Over which they are told.</param>
    /// <param name="atLeast">Also when all have gone before.</param>
    /// <param name="atMost">Also when some have not.</param>
    /// <param name="cancellationToken">Ends it at once.</param>
    public async Task RunAsync(TimeSpan spread, TimeSpan atLeast, TimeSpan atMost, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        try
        {
            await TellAsync([.. streams.All], spread, started, cancellationToken);
            while (time.GetElapsedTime(started) is var elapsed && (elapsed < atLeast || (streams.Count > 0 && elapsed < atMost)))
            {
                await Task.Delay(LookInterval, time, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The broker stops at once.
        }
    }

    private async Task TellAsync(AgentStream[] agents, TimeSpan spread, long started, CancellationToken cancellationToken)
    {
        Random.Shared.Shuffle(agents);
        for (var i = 0; i < agents.Length; i++)
        {
            var due = (spread * i / agents.Length) - time.GetElapsedTime(started);
            if (due > LookInterval)
            {
                await Task.Delay(due, time, cancellationToken);
            }

            Tell(agents[i]);
        }
    }

    private static void Tell(AgentStream agent)
    {
        if (agent.IsOurs)
        {
            agent.TrySend(new ResponseStream { Drain = new Drain() });
        }
        else
        {
            // An original agent knows no other way to be told; its open legs run on.
            agent.End(StatusCode.Unavailable, "the broker drains");
        }
    }
}
