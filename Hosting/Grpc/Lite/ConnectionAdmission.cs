using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Whip.Hosting.Grpc;

/// <summary>What a connection passes before Kestrel sees it as HTTP/2.</summary>
internal sealed class ConnectionAdmission(ControlServerOptions options, ILogger logger)
{
    public async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var remote = (IPEndPoint)connection.RemoteEndPoint!;
        var entry = options.Gate.Enter(() => Evict(connection, remote));
        try
        {
            connection.Features.Set(new AdmittedConnection(remote, null, entry));
            await next(connection);
        }
        finally
        {
            entry.Leave();
        }
    }

    private void Evict(ConnectionContext connection, IPEndPoint remote)
    {
        ControlServerLog.Evicted(logger, remote);
        connection.Abort(new ConnectionAbortedException("evicted"));
    }
}
