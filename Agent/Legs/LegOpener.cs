using System.Diagnostics.CodeAnalysis;
using Whip.Protocol.Dialing;
using Whip.Protocol.Kept;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;

namespace Whip.Agent.Legs;

/// <summary>Opens the two legs of one dial: the local port first, so that a closed one costs the broker nothing, then the leg to the broker.</summary>
internal sealed class LegOpener(AgentContext context, LegTargets targets)
{
    /// <summary>Failures of the network are values; both sockets are closed then.</summary>
    public async Task<OpenedLegs> OpenAsync(Connect connect, CancellationToken cancellationToken)
    {
        var opened = await OpenLocalAsync(connect, cancellationToken);
        if (opened.Local is not { } local)
        {
            return opened;
        }

        using var span = DialTrace.Served("bring leg", connect.TraceParent, connect.LocalPort);
        var life = new ServingLife(context.Identity, context.Time);
        Leg? broker = null;
        try
        {
            var to = HostPort.Of(connect.Host, (int)connect.Port);
            broker = await ConnectAsync(to, cancellationToken);
            if (context.Identity is { } identity)
            {
                await broker.AuthenticateAsClientAsync(identity, to.Host, cancellationToken);
            }

            await broker.WriteAsync(LegPreamble.Write(connect.ConnectionID), cancellationToken);
            return new OpenedLegs(broker, local) { Life = life };
        }
        catch (Exception e)
        {
            broker?.Abort();
            local.Abort();
            if (ErrorClass.Of(e) is not { } errorClass)
            {
                throw;
            }

            return new OpenedLegs(null, null, $"leg: {errorClass}", e.Message);
        }
    }

    /// <summary>Only the service's side. Failures of the network are values.</summary>
    public async Task<OpenedLegs> OpenLocalAsync(Connect connect, CancellationToken cancellationToken)
    {
        using var span = DialTrace.Served("open service", connect.TraceParent, connect.LocalPort);
        if (context.Acceptor is { } acceptor)
        {
            return acceptor.TryOpen(connect) is { } side
                ? new OpenedLegs(null, side)
                : new OpenedLegs(null, null, $"local port {connect.LocalPort}: not served any more", "the program stops");
        }

        var target = context.Settings.Ports[(int)connect.LocalPort];
        Leg? local = null;
        try
        {
            local = await target.ConnectAsync(context.Connector, cancellationToken);
            if (context.Settings.ProxyProtocol.TryGetValue((int)connect.LocalPort, out var withNames))
            {
                await local.WriteAsync(ProxyHeader.Of(connect, withNames), cancellationToken);
            }

            return new OpenedLegs(null, new TargetConnection(local));
        }
        catch (Exception e) when (target.ClassOf(e) is not null)
        {
            local?.Abort();
            return new OpenedLegs(null, null, $"local port {connect.LocalPort}: {target.ClassOf(e)}", $"{target}: {e.Message}");
        }
    }

    private Task<Leg> ConnectAsync(HostPort to, CancellationToken cancellationToken) =>
        targets.Pinned(to) is { } address
            ? context.Connector.ConnectAsync([address], to.Port, cancellationToken)
            : context.Connector.ConnectAsync(to, cancellationToken);
}

/// <summary>The legs, owned by the caller, or the phase and error class that prevented them, and for this machine's own log more.</summary>
internal sealed record OpenedLegs(Leg? Broker, ILocalSide? Local, string Failure = "", string Cause = "")
{
    [MemberNotNullWhen(true, nameof(Broker), nameof(Local))]
    public bool IsOpen => Broker is not null;

    /// <summary>Of the leg to the broker, if it is kept.</summary>
    public ServingLife? Life { get; init; }
}
