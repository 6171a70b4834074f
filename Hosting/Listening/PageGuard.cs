using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Whip.Protocol;
using Whip.Protocol.Legs;

namespace Whip.Hosting.Listening;

/// <summary>Connection middleware in front of pages: agents, dialers and whoever speaks TLS are told that they are at the wrong port.</summary>
internal sealed class PageGuard(PortKind port, TimeSpan timeout, ILogger logger, TimeProvider time)
{
    private readonly LogRations _refusals = new(logger, time);

    public ConnectionDelegate Use(ConnectionDelegate next) => async connection =>
    {
        if (await IsWelcomeAsync(connection))
        {
            await next(connection);
        }
    };

    private async Task<bool> IsWelcomeAsync(ConnectionContext connection)
    {
        // Not the end of the connection: a client may have sent its request and ended its side.
        var stopping = connection.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().ConnectionClosedRequested;
        using var deadline = new Deadline(timeout, time, stopping);
        try
        {
            var visitor = await WrongPort.LookAsync(connection.Transport.Input, port, deadline.Token);
            if (visitor is Visitor.Unknown or Visitor.Browser or Visitor.Admin)
            {
                return true;
            }

            if (_refusals.Take(port.Name))
            {
                ListeningLog.Refused(logger, port.Name, Leg.Unmapped(connection.RemoteEndPoint!), port.Reason(visitor));
            }

            await WrongPort.TellAsync(connection, visitor, port.Hint(visitor), deadline.Token);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // It was silent, or has gone.
        }

        return false;
    }
}
