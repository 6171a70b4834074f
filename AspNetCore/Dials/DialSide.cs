using Microsoft.Extensions.Logging;
using Whip.Agent.Legs;
using Whip.Protocol.Legs;

namespace Whip.AspNetCore.Dials;

/// <summary>The service's side of one dial: a connection of Kestrel.</summary>
internal sealed class DialSide(DialPort port, DialConnection connection, ILogger log) : ILocalSide
{
    public async Task<RelayResult> RelayAsync(WhipStream broker, RelayContext relays, CancellationToken cut)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cut, connection.Aborted);
        var relaying = Relay.RunAsync(broker, connection.Pipe, relays, end.Token);
        var offering = port.OfferAsync(connection);
        var result = await relaying;
        await offering;
        try
        {
            await connection.CloseAsync();
        }
        catch (AggregateException error)
        {
            DialLog.CallbackFailed(log, error.GetBaseException());
        }

        return result.End == RelayEnd.Cut && !cut.IsCancellationRequested
            ? result with { End = RelayEnd.BReset, Detail = "the app has reset the connection" }
            : result;
    }

    public void Abort() => port.Server.Settled();
}
