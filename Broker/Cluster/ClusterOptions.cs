using System.Net;
using System.Net.Sockets;
using Whip.Grains;
using Whip.Grains.Membership;
using Whip.Grains.Silos;
using Whip.Hosting.Flags;

namespace Whip.Broker.Cluster;

/// <summary>Validates the cluster options of a broker, and makes the setup of its silo from them.</summary>
internal static class ClusterOptions
{
    /// <exception cref="WhipOptionException">The first option that cannot work.</exception>
    public static void Check(WhipBrokerOptions options)
    {
        if (options.Cluster == ClusterEngine.Embedded)
        {
            RefuseAlone(options);
            return;
        }

        _ = ConnectionString(options);
        OptionText.Require(
            ListenAddress.ParseOrOff(nameof(options.DialListen), options.DialListen) is not null,
            nameof(options.DialListen), options.DialListen, "other brokers forward dials there", ":8010");
        if (!options.Tls.Enabled)
        {
            RefuseBeyondLoopback(options);
        }
    }

    /// <summary>Addresses are checked here, and port 0 replaced: Orleans binds only after it has reached the database, and has no port 0.</summary>
    /// <exception cref="WhipOptionException">An address cannot be bound.</exception>
    public static async Task<SiloEndPoints> FindEndPointsAsync(WhipBrokerOptions options, PortBinder binder, CancellationToken cancellationToken)
    {
        return new SiloEndPoints(
            (await FindAsync(nameof(options.SiloListen), options.SiloListen))!, await FindAsync(nameof(options.GatewayListen), options.GatewayListen));

        Task<IPEndPoint?> FindAsync(string option, string address) => binder.BindAsync(
            option, address, loopbackOnly: !options.Tls.Enabled,
            endPoint =>
            {
                using var socket = SocketAcceptor.Bind(endPoint);
                return Task.FromResult((IPEndPoint)socket.LocalEndPoint!);
            },
            cancellationToken);
    }

    /// <exception cref="WhipOptionException">The name of the external address is not known.</exception>
    public static SiloSetup Silo(WhipBrokerOptions options, SiloEndPoints endPoints, string brokerId, TlsIdentity? tls, SiloAdmission admission) => new()
    {
        ClusterId = options.ClusterId,
        BrokerId = brokerId,
        Zone = options.Zone,
        Store = new PostgresStore(ConnectionString(options), options.ClusterId),
        Listen = endPoints.Silo,
        External = Resolve(ExternalAddress.Of(nameof(options.ExternalSilo), options.ExternalSilo, endPoints.Silo)),
        GatewayListen = endPoints.Gateway,
        Transport = admission.Transport,
        Guard = admission.Guard,
        Admission = admission.Use,
        Tls = tls,
    };

    private static void RefuseAlone(WhipBrokerOptions options)
    {
        var defaults = new WhipBrokerOptions();
        (string Name, bool IsSet)[] ofClusters =
        [
            (nameof(options.Postgres), options.Postgres is not null),
            (nameof(options.ExternalDial), options.ExternalDial is not null),
            (nameof(options.ExternalGrpc), options.ExternalGrpc is not null),
            (nameof(options.SiloListen), options.SiloListen != defaults.SiloListen),
            (nameof(options.ExternalSilo), options.ExternalSilo is not null),
            (nameof(options.GatewayListen), options.GatewayListen != defaults.GatewayListen),
        ];
        var set = Array.Find(ofClusters, option => option.IsSet).Name;
        OptionText.Require(set is null, set!, null, "has a meaning in a cluster only", "{Cluster} orleans, or leave it out");
    }

    private static void RefuseBeyondLoopback(WhipBrokerOptions options)
    {
        (string Name, string? Address)[] addresses =
        [
            (nameof(options.SiloListen), options.SiloListen), (nameof(options.ExternalSilo), options.ExternalSilo),
            (nameof(options.GatewayListen), options.GatewayListen),
            (nameof(options.GrpcListen), options.GrpcListen), (nameof(options.ExternalGrpc), options.ExternalGrpc),
            (nameof(options.TcpListen), options.TcpListen), (nameof(options.ExternalTcp), options.ExternalTcp),
            (nameof(options.DialListen), options.DialListen), (nameof(options.ExternalDial), options.ExternalDial),
        ];
        foreach (var (name, address) in addresses)
        {
            OptionText.Require(
                ListenAddress.IsLoopbackOrOff(name, address ?? "", loopbackOnly: true),
                name, address, "without TLS a cluster lives on the loopback interface of one machine", "127.0.0.1:PORT, or {Tls.Enabled}");
        }
    }

    private static string ConnectionString(WhipBrokerOptions options)
    {
        OptionText.Require(
            options.Postgres is not null, nameof(options.Postgres), null, "is needed with {Cluster} orleans", "postgres://whip:PASSWORD@db.example/whip");
        try
        {
            return PostgresConnectionString.Parse(options.Postgres!).ConnectionString;
        }
        catch (FormatException error)
        {
            throw new WhipOptionException(nameof(options.Postgres), null, error.Message);
        }
    }

    /// <summary>Silos address each other by IP address.</summary>
    private static IPEndPoint Resolve(HostPort external)
    {
        try
        {
            return new ListenAddress(external.Host, external.Port).Resolve(loopbackOnly: false);
        }
        catch (SocketException error)
        {
            throw ListenAddress.BindFailure(nameof(WhipBrokerOptions.ExternalSilo), $"{external}", error);
        }
    }
}

/// <summary>Where a silo and its gateway will listen; a port that is 0 has been replaced.</summary>
internal sealed record SiloEndPoints(IPEndPoint Silo, IPEndPoint? Gateway);
