using System.Net;
using Microsoft.Extensions.Logging;
using Whip.Broker.Listening;
using Whip.Hosting;
using Whip.Hosting.Listening;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Broker.Rendezvous;

/// <summary>Takes the agents' legs and hands each to the dial its preamble names.</summary>
internal sealed partial class RendezvousServer(
    PendingDials pending, Func<Leg, bool> isOwn, LegGreeter greeter, ListenerMetrics metrics, WhipLimits limits, ILogger logger)
{
    /// <summary>The name of the listener in logs and metrics.</summary>
    public const string Name = "rendezvous";

    private const string WrongPort = "this is the rendezvous port, where agents bring their legs: send CONNECT to the dial port (--dial-listen)";

    public async Task HandleAsync(Leg leg, UnauthenticatedGate.Entry entry, CancellationToken stopping)
    {
        var delivered = false;
        try
        {
            delivered = await greeter.GreetAsync(
                leg, entry, Name, WrongPort, (authenticated, deadline) => MeetAsync(authenticated, entry, deadline), limits.HandshakeTimeout, stopping);
        }
        finally
        {
            if (!delivered)
            {
                leg.Abort();
            }

            if (entry.IsEvicted)
            {
                metrics.Rejected(Name, "evicted");
            }
        }
    }

    /// <summary>Null when the dial has the leg, else the problem.</summary>
    private async Task<string?> MeetAsync(Leg leg, UnauthenticatedGate.Entry entry, CancellationToken deadline)
    {
        if (isOwn(leg))
        {
            // This broker looks whether its address leads here; it has seen that it does.
            leg.Abort();
            return null;
        }

        var preamble = await LegPreamble.ReadAsync(leg, deadline);
        if (preamble.ConnectionId is null)
        {
            return preamble.Problem;
        }

        if (!pending.TryTake(preamble.ConnectionId, out var dial))
        {
            return "no dial waits for this leg: it came too late, or the id was never given";
        }

        var name = dial.Stream.Route.Name;
        if (leg.IsTls && leg.Peer?.Covers(name.FullName) != true)
        {
            dial.TryFail($"the leg's certificate does not cover {name}");
            return $"the certificate ({leg.Peer}) does not cover {name}";
        }

        // The gate lets go before the dial has the leg, lest it evict a leg in use.
        if (!entry.Leave())
        {
            dial.TryFail("the broker was full as its leg arrived");
            return "evicted";
        }

        LogArrived(logger, name, leg.RemoteEndPoint);
        return dial.TryDeliver(leg) ? null : "the dial ended as its leg arrived";
    }

    [LoggerMessage(111, LogLevel.Debug, "a leg of {Name} arrived from {Remote}", EventName = "LegArrived")]
    private static partial void LogArrived(ILogger logger, InstanceName name, IPEndPoint remote);
}
