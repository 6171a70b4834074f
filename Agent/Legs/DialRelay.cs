using System.Diagnostics;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Agent.Legs;

/// <summary>Relays the dials of an agent, counts them, and ends those whose dialer comes to be denied.</summary>
internal sealed class DialRelay(AgentContext context)
{
    /// <summary>Runs until the dial has ended. It owns both sides.</summary>
    public async Task<RelayResult> RunAsync(WhipStream broker, ILocalSide local, Connect connect)
    {
        context.LegMetrics.Connect(ConnectOutcome.Connected);
        using var denial = context.Identity?.Denied?.Track(connect.Dialer, connect.DialerId, broker.Abort);
        var localPort = (int)connect.LocalPort;
        context.Work.CountRelays(1);
        context.LegMetrics.RelayStarted(localPort);
        using var firstByte = DialTrace.Served("first byte", connect.TraceParent, connect.LocalPort);
        var result = await local.RelayAsync(broker, Traced(firstByte), context.Work.Cut);
        context.LegMetrics.RelayEnded(localPort);
        context.Work.CountRelays(-1);
        LegLog.RelayEnded(context.Log, localPort, result.End, result.BytesAToB, result.BytesBToA, result.Detail);
        return result;
    }

    /// <summary>The wait for the first byte of the service is the last phase of a dial.</summary>
    private RelayContext Traced(Activity? firstByte) => firstByte is null ? context.RelayContext : context.RelayContext with
    {
        BToA = bytes =>
        {
            firstByte.Stop();
            context.RelayContext.BToA?.Invoke(bytes);
        },
    };
}
