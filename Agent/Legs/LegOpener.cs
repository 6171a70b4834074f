using System.Diagnostics.CodeAnalysis;
using System.Net;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Agent.Legs;

/// <summary>Opens the two legs of one dial: the local port first, so that a closed one costs the broker nothing, then the leg to the broker.</summary>
internal sealed class LegOpener(AgentContext context, LegTargets targets)
{
    /// <summary>Failures of the network are values; both sockets are closed then.</summary>
    public async Task<OpenedLegs> OpenAsync(Connect connect, CancellationToken cancellationToken)
    {
        var phase = $"local port {connect.LocalPort}";
        Leg? local = null;
        Leg? broker = null;
        try
        {
            local = await Leg.ConnectAsync(context.Settings.TargetHost, (int)connect.LocalPort, cancellationToken);
            phase = "leg";
            broker = await ConnectAsync(connect.Host, (int)connect.Port, cancellationToken);
            if (context.Identity is { } identity)
            {
                await broker.AuthenticateAsClientAsync(identity, connect.Host, cancellationToken);
            }

            await broker.WriteAsync(LegPreamble.Write(connect.ConnectionID), cancellationToken);
            return new OpenedLegs(broker, local);
        }
        catch (Exception e)
        {
            broker?.Abort();
            local?.Abort();
            if (ErrorClass.Of(e) is not { } errorClass)
            {
                throw;
            }

            return new OpenedLegs($"{phase}: {errorClass}", e);
        }
    }

    private Task<Leg> ConnectAsync(string host, int port, CancellationToken cancellationToken) =>
        targets.Pinned(host) is { } address
            ? Leg.ConnectAsync(new IPEndPoint(address, port), cancellationToken)
            : Leg.ConnectAsync(host, port, cancellationToken);
}

/// <summary>Both legs, owned by the caller, or the phase and error class that prevented them.</summary>
internal sealed class OpenedLegs
{
    public OpenedLegs(Leg broker, Leg local) => (Broker, Local) = (broker, local);

    public OpenedLegs(string failure, Exception cause) => (Failure, Cause) = (failure, cause);

    [MemberNotNullWhen(true, nameof(Broker), nameof(Local))]
    [MemberNotNullWhen(false, nameof(Failure), nameof(Cause))]
    public bool IsOpen => Broker is not null;

    public Leg? Broker { get; }

    public Leg? Local { get; }

    public string? Failure { get; }

    public Exception? Cause { get; }
}
