using Grpc.Core;
using Whip.Protocol.Messages;

namespace Whip.Broker.ControlStreams;

/// <summary>
/// Sends Drain to the agents of a broker that stops, one by one, so that they do not all register with the others at once. An agent
/// attaches elsewhere before it detaches here; one that knows no other broker stays to the end.
/// </summary>
internal sealed class AgentDrain(LiveStreams streams, TimeProvider time)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>Spreads the Drains over <paramref name="spread"/>, and returns when the last agent has gone, within the two bounds.</summary>
    public async Task RunAsync(TimeSpan spread, TimeSpan atLeast, TimeSpan atMost, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        try
        {
            await SendAsync([.. streams.All], spread, started, cancellationToken);
            while (time.GetElapsedTime(started) is var elapsed && (elapsed < atLeast || (streams.Count > 0 && elapsed < atMost)))
            {
                await Task.Delay(LookInterval, time, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The drain was cancelled.
        }
    }

    private async Task SendAsync(AgentStream[] agents, TimeSpan spread, long started, CancellationToken cancellationToken)
    {
        Random.Shared.Shuffle(agents);
        for (var i = 0; i < agents.Length; i++)
        {
            var due = (spread * i / agents.Length) - time.GetElapsedTime(started);
            if (due > LookInterval)
            {
                await Task.Delay(due, time, cancellationToken);
            }

            Send(agents[i]);
        }
    }

    private static void Send(AgentStream agent)
    {
        if (agent.IsOurs)
        {
            agent.TrySend(new ResponseStream { Drain = new Drain() });
        }
        else
        {
            // An original agent does not know Drain; its legs go on.
            agent.End(StatusCode.Unavailable, "the broker drains");
        }
    }
}
