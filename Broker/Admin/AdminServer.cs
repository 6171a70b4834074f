using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Hosting.Flags;
using Whip.Hosting.Health;

namespace Whip.Broker.Admin;

/// <summary>Starts the admin listener of a broker.</summary>
internal static class AdminServer
{
    private const string Flag = "--admin-listen";

    /// <summary>Null: none is asked for.</summary>
    /// <exception cref="StartupException">A flag must change first.</exception>
    public static async Task<PlainHttpServer?> StartAsync(
        WhipBrokerOptions options, BrokerParts broker, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        var guard = new AdminGuard(AdminToken.Load(options.AdminTokenPath), options.AdminHosts);
        if (options.AdminListen.Length == 0)
        {
            return null;
        }

        try
        {
            var listen = FlagText.Listen(Flag, options.AdminListen).Resolve(loopbackOnly: !options.Tls.Enabled);
            if (!IPAddress.IsLoopback(listen.Address) && !guard.AsksForToken)
            {
                throw new StartupException(
                    Flag, options.AdminListen, "beyond the loopback interface it needs --admin-token-path", "--admin-token-path FILE, or 127.0.0.1:8081");
            }

            return await PlainHttpServer.StartAsync(listen, new AdminApplication(guard, broker, time), loggers, cancellationToken);
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            throw StartupException.ForBind(Flag, options.AdminListen, error);
        }
    }
}
