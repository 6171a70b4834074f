using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Agent.Legs;

/// <summary>The service's side of one dial, which is open: a connection to the service, or a part of this process.</summary>
internal interface ILocalSide
{
    /// <summary>Relays until the dial has ended, and owns both sides; side a is <paramref name="broker"/>. Never throws.</summary>
    /// <param name="broker">The dialer's side.</param>
    /// <param name="relays">What all relays of the agent share.</param>
    /// <param name="cut">Resets both.</param>
    Task<RelayResult> RelayAsync(WhipStream broker, RelayContext relays, CancellationToken cut);

    /// <summary>Gives up a dial that is not relayed.</summary>
    void Abort();
}

/// <summary>Serves the dials of an agent inside its process.</summary>
internal interface IDialAcceptor
{
    /// <summary>The service's side of a dial that was checked; null if none is served any more.</summary>
    ILocalSide? TryOpen(Connect connect);
}

/// <summary>A connection to the target of a port.</summary>
internal sealed class TargetConnection(Leg leg) : ILocalSide
{
    public Task<RelayResult> RelayAsync(WhipStream broker, RelayContext relays, CancellationToken cut) => Relay.RunAsync(broker, leg, relays, cut);

    public void Abort() => leg.Abort();
}
