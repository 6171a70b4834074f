using System.Net;
using Whip.Broker.Listening;

namespace Whip.Broker.Rendezvous;

/// <summary>Accepts the legs of agents and gives each to the dial that its preamble names.</summary>
internal sealed partial class RendezvousServer(
    PendingDials pending, KeptLegs kept, Func<Leg, bool> isOwn, LegGreeter greeter, PortKind port, ListenerMetrics metrics, WhipLimits limits, ILogger logger)
{
    /// <summary>The name of the listener in logs and metrics.</summary>
    public const string Name = "rendezvous";

    public async Task HandleAsync(Leg leg, UnauthenticatedGate.Entry entry, CancellationToken stopping)
    {
        var delivered = false;
        var shown = kept.Shown;
        try
        {
            var greeting = await greeter.GreetAsync(
                leg, entry, port, (authenticated, deadline) => MeetAsync(authenticated, entry, shown, deadline), limits.HandshakeTimeout, stopping);
            delivered = greeting.IsAdmitted;
            if (greeting.RefusedCertificate is { } problem)
            {
                // Before the leg ends, which its agent will report.
                pending.RefusedLegs.Add(leg.RemoteEndPoint.Address, problem);
            }
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

    /// <returns>Null when the dial has the leg, otherwise the problem.</returns>
    private async Task<string?> MeetAsync(Leg leg, UnauthenticatedGate.Entry entry, object? shown, CancellationToken deadline)
    {
        if (isOwn(leg))
        {
            // The self-check, which has its answer.
            leg.Abort();
            return null;
        }

        var preamble = await LegPreamble.ReadAsync(leg, deadline);
        if (preamble.ConnectionId is null)
        {
            return preamble.IsForeign
                ? await LegGreeter.ExplainAsync(leg, port, preamble.Problem, wantsTls: false, deadline)
                : preamble.Problem;
        }

        if (!pending.TryTake(preamble.ConnectionId, out var dial))
        {
            return "no dial waits for this leg: it came too late, or the id was never given";
        }

        var name = dial.Stream.Route.Name;
        if (leg.IsTls && leg.Peer?.Covers(name.FullName) != true)
        {
            var problem = $"the certificate ({leg.Peer}) does not cover {name}";
            dial.RefuseLeg(problem);
            return problem;
        }

        // Leave the gate before the dial has the leg, so that a leg in use is never evicted.
        if (!entry.Leave())
        {
            dial.TryFail("the broker was full as its leg arrived");
            return "evicted";
        }

        LogArrived(logger, name, leg.RemoteEndPoint);
        WhipStream stream = dial.Stream.Legs is { } pool ? kept.Begin(leg, pool, entry, shown) : leg;
        return dial.TryDeliver(stream) ? null : "the dial ended as its leg arrived";
    }

    [LoggerMessage(111, LogLevel.Debug, "a leg of {Name} arrived from {Remote}", EventName = "LegArrived")]
    private static partial void LogArrived(ILogger logger, InstanceName name, IPEndPoint remote);
}
