using Whip.Broker.ControlStreams;
using Whip.Protocol.Messages;

namespace Whip.Broker.Rendezvous;

/// <summary>A dial that waits for the leg that it asked an agent for. The first to end it wins: the leg, a failure, or the dial itself.</summary>
internal sealed class PendingDial(AgentStream stream, string connectionId)
{
    private readonly TaskCompletionSource<DialResult> _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public AgentStream Stream { get; } = stream;

    public string ConnectionId { get; } = connectionId;

    public Task<DialResult> Arrival => _arrival.Task;

    /// <summary>False: the dial has ended, and the caller keeps the leg.</summary>
    public bool TryDeliver(WhipStream leg) => _arrival.TrySetResult(DialResult.Connected(leg));

    /// <summary>False: the leg has arrived, or the dial has ended.</summary>
    public bool TryFail(string reason) =>
        _arrival.TrySetResult(DialResult.Failed(DialOutcome.AgentFailed, $"{Stream.Route.Name}: {reason}"));

    /// <summary>This broker has refused the leg. The agent, which only sees that it has ended, is told why.</summary>
    public void RefuseLeg(string problem)
    {
        TryFail($"its leg was refused: {problem}");
        Stream.TrySend(new ResponseStream { Cancel = new Cancel { ConnectionID = ConnectionId, Reason = problem } });
    }
}
