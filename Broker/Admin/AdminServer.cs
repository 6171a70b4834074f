using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Whip.Hosting.Flags;
using Whip.Hosting.Health;
using Whip.Protocol.Options;

namespace Whip.Broker.Admin;

/// <summary>Starts the admin listener of a broker.</summary>
internal static class AdminServer
{
    /// <summary>Null: it is off.</summary>
    /// <exception cref="WhipOptionException">The address cannot be bound.</exception>
    public static async Task<PlainHttpServer?> StartAsync(
        WhipBrokerOptions options, BrokerParts broker, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        const string Option = nameof(options.AdminListen);
        try
        {
            if (ListenAddress.ParseOrOff(Option, options.AdminListen)?.Resolve(loopbackOnly: !options.Tls.Enabled) is not { } listen)
            {
                return null;
            }

            var guard = new AdminGuard(AdminToken.Load(options.AdminTokenPath), options.AdminHosts);
            return await PlainHttpServer.StartAsync(listen, new AdminApplication(guard, broker, time), loggers, cancellationToken);
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            throw ListenAddress.BindFailure(Option, options.AdminListen, error);
        }
    }
}
