using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using Whip.Protocol;
using Whip.Protocol.Dialing;
using Whip.Protocol.Kept;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Protocol.Via;

namespace Whip.Agent.Legs;

/// <summary>Opens the two legs of one dial: the local port first, so that a closed one costs the broker nothing, then the leg to the broker.</summary>
internal sealed class LegOpener(AgentContext context, LegTargets targets)
{
    /// <summary>Of a dial that has 5 seconds.</summary>
    private static readonly TimeSpan LookUpTimeout = TimeSpan.FromSeconds(1);

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
        var to = HostPort.Of(connect.Host, (int)connect.Port);
        var via = targets.Via(to);
        try
        {
            return new OpenedLegs(await OpenBrokerAsync(connect, to, via, cancellationToken), local) { Life = life };
        }
        catch (Exception e)
        {
            local.Abort();
            if (ErrorClass.Of(e) is not { } errorClass)
            {
                throw;
            }

            return e is OperationCanceledException && via is not null
                ? new OpenedLegs(null, null, $"leg: {errorClass}, through the agent's proxy", $"{to} through the proxy {via}")
                : new OpenedLegs(null, null, $"leg: {errorClass}", e.Message);
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

    private async Task<Leg> OpenBrokerAsync(Connect connect, HostPort to, HttpProxy? via, CancellationToken cancellationToken)
    {
        var broker = await ConnectAsync(to, via, cancellationToken);
        try
        {
            if (context.Identity is { } identity)
            {
                await broker.AuthenticateAsClientAsync(identity, to.Host, cancellationToken, to.Port);
                if (targets.Foreign(broker.Peer) is { } other)
                {
                    throw new ForeignBrokerException($"at {to} is {other}");
                }
            }

            await broker.WriteAsync(LegPreamble.Write(connect.ConnectionID), cancellationToken);
            return broker;
        }
        catch
        {
            broker.Abort();
            throw;
        }
    }

    private async Task<Leg> ConnectAsync(HostPort to, HttpProxy? via, CancellationToken cancellationToken)
    {
        if (via is null || targets.AreNames || targets.Pinned(to) is not null)
        {
            return await ProxyTunnel.ConnectAsync(context.Connector, via, targets.Pinned(to) ?? to, cancellationToken);
        }

        // One after the other: a proxy is not to be asked for several tunnels of which one is used.
        ProxyException? failure = null;
        foreach (var address in await AddressesAsync(to, cancellationToken))
        {
            try
            {
                return await ProxyTunnel.ConnectAsync(context.Connector, via, address, cancellationToken);
            }
            catch (ProxyException error) when (error.Fault == ProxyFault.Failed)
            {
                failure ??= error;
            }
        }

        throw failure!;
    }

    /// <summary>The name itself, which the proxy then looks up, if that is not possible here.</summary>
    private async Task<IEnumerable<HostPort>> AddressesAsync(HostPort to, CancellationToken cancellationToken)
    {
        using var limit = new Deadline(LookUpTimeout, context.Time, cancellationToken);
        try
        {
            return [.. (await context.Connector.ResolveAsync(to.Host, limit.Token)).Select(address => HostPort.Of($"{address}", to.Port))];
        }
        catch (Exception error) when (error is SocketException || (error is OperationCanceledException && limit.HasPassed))
        {
            return [to];
        }
    }
}

/// <summary>A leg has met another broker than the one that asked for it; the message says which two, and is fit for both and for the dialer.</summary>
internal sealed class ForeignBrokerException(string problem) : Exception(problem);

/// <summary>The legs, owned by the caller, or the phase and error class that prevented them, and for this machine's own log more.</summary>
internal sealed record OpenedLegs(Leg? Broker, ILocalSide? Local, string Failure = "", string Cause = "")
{
    [MemberNotNullWhen(true, nameof(Broker), nameof(Local))]
    public bool IsOpen => Broker is not null;

    /// <summary>Of the leg to the broker, if it is kept.</summary>
    public ServingLife? Life { get; init; }
}
