using Whip.Broker.ControlStreams;
using Whip.Protocol.Legs;

namespace Whip.Broker.Rendezvous;

/// <summary>One dial that waits for the leg it asked an agent for. The first to end it wins: leg, failure, or the dial itself.</summary>
internal sealed class PendingDial(AgentStream stream, string connectionId)
{
    private readonly TaskCompletionSource<LegArrival> _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public AgentStream Stream { get; } = stream;

    public string ConnectionId { get; } = connectionId;

    public Task<LegArrival> Arrival => _arrival.Task;

    /// <summary>False: the dial has ended, and the caller keeps the leg.</summary>
    public bool TryDeliver(Leg leg) => _arrival.TrySetResult(new LegArrival(leg, ""));

    public bool TryFail(string reason) => _arrival.TrySetResult(new LegArrival(null, reason));
}
