using System.Net;
using System.Net.Sockets;
using Whip.Grains;
using Whip.Grains.Membership;
using Whip.Grains.Silos;
using Whip.Hosting.Flags;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;

namespace Whip.Broker.Cluster;

/// <summary>What the options of a broker mean for its cluster, and what they must not be.</summary>
internal static class ClusterOptions
{
    private const string PostgresFlag = "WHIP_POSTGRES";
    private const string SiloFlag = "--silo-listen";

    /// <exception cref="StartupException">A flag must change first.</exception>
    public static void Check(WhipBrokerOptions options)
    {
        if (options.Cluster == ClusterEngine.Embedded)
        {
            RefuseAlone(options);
            return;
        }

        _ = ConnectionString(options);
        if (options.DialListen.Length == 0)
        {
            throw new StartupException("--dial-listen", "", "other brokers forward dials there", ":8010");
        }

        if (!options.Tls.Enabled)
        {
            RefuseBeyondLoopback(options);
        }
    }

    /// <summary>How the broker is a silo. Orleans binds only after the database was reached, and knows no port 0: both is settled here.</summary>
    /// <exception cref="StartupException">A flag must change first.</exception>
    public static SiloSetup Silo(WhipBrokerOptions options, string brokerId, TlsIdentity? tls)
    {
        var listen = FreeEndPoint(SiloFlag, options.SiloListen, tls);
        return new SiloSetup
        {
            ClusterId = options.ClusterId,
            BrokerId = brokerId,
            Zone = options.Zone,
            Store = new PostgresStore(ConnectionString(options), options.ClusterId),
            Listen = listen,
            External = Resolve(ExternalAddress.Of("--external-silo", options.ExternalSilo, SiloFlag, listen)),
            GatewayListen = options.GatewayListen.Length == 0 ? null : FreeEndPoint("--gateway-listen", options.GatewayListen, tls),
            Tls = tls,
        };
    }

    private static void RefuseAlone(WhipBrokerOptions options)
    {
        var defaults = new WhipBrokerOptions();
        (string Flag, bool IsSet)[] flags =
        [
            (PostgresFlag, options.Postgres is not null),
            ("--external-dial", options.ExternalDial is not null),
            ("--external-grpc", options.ExternalGrpc is not null),
            (SiloFlag, options.SiloListen != defaults.SiloListen),
            ("--external-silo", options.ExternalSilo is not null),
            ("--gateway-listen", options.GatewayListen != defaults.GatewayListen),
        ];
        if (Array.Find(flags, flag => flag.IsSet).Flag is { } set)
        {
            throw new StartupException(set, null, "has a meaning in a cluster only", "--cluster orleans, or leave it out");
        }
    }

    private static void RefuseBeyondLoopback(WhipBrokerOptions options)
    {
        (string Flag, string? Address)[] addresses =
        [
            (SiloFlag, options.SiloListen), ("--external-silo", options.ExternalSilo), ("--gateway-listen", options.GatewayListen),
            ("--grpc-listen", options.GrpcListen), ("--external-grpc", options.ExternalGrpc), ("--tcp-listen", options.TcpListen),
            ("--external-tcp", options.ExternalTcp), ("--dial-listen", options.DialListen), ("--external-dial", options.ExternalDial),
        ];
        foreach (var (flag, address) in addresses.Where(pair => !string.IsNullOrEmpty(pair.Address)))
        {
            try
            {
                if (!IPAddress.IsLoopback(FlagText.Listen(flag, address!).Resolve(loopbackOnly: true).Address))
                {
                    throw new StartupException(flag, address, "without TLS a cluster lives on the loopback interface of one machine", "127.0.0.1:PORT, or --tls");
                }
            }
            catch (SocketException error)
            {
                throw StartupException.ForBind(flag, address!, error);
            }
        }
    }

    private static string ConnectionString(WhipBrokerOptions options)
    {
        var text = options.Postgres ?? throw new StartupException(PostgresFlag, null, "is needed with --cluster orleans", "postgres://whip:PASSWORD@db.example/whip");
        try
        {
            return PostgresConnectionString.Parse(text).ConnectionString;
        }
        catch (FormatException error)
        {
            throw new StartupException(PostgresFlag, null, error.Message, "");
        }
    }

    private static IPEndPoint FreeEndPoint(string flag, string address, TlsIdentity? tls)
    {
        try
        {
            var endPoint = FlagText.Listen(flag, address).Resolve(loopbackOnly: tls is null);
            using var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(endPoint);
            return (IPEndPoint)socket.LocalEndPoint!;
        }
        catch (SocketException error)
        {
            throw StartupException.ForBind(flag, address, error);
        }
    }

    /// <summary>Silos know each other by address, not by name.</summary>
    private static IPEndPoint Resolve((string Host, int Port) external)
    {
        try
        {
            return new ListenAddress(external.Host, external.Port).Resolve(loopbackOnly: false);
        }
        catch (SocketException error)
        {
            throw StartupException.ForBind("--external-silo", HostPort.Format(external.Host, external.Port), error);
        }
    }
}
