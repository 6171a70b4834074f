using Microsoft.Extensions.Logging;
using Whip.Hosting.Flags;
using Whip.Protocol.Tls;
using Whip.Registry.Routes;

namespace Whip.Broker.Cluster;

/// <summary>The engine that this set of packages lacks.</summary>
internal static class OrleansEngine
{
    /// <exception cref="StartupException">Always.</exception>
    public static IOrleansEngine Create(WhipBrokerOptions options, string connectionString, string brokerId, TlsIdentity? tls, LocalRoutes local, ILoggerFactory loggers, TimeProvider time) =>
        throw new StartupException("--cluster", "orleans", "this build has no Orleans: build with -p:WhipPackages=full", "");
}
