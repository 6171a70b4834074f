using Microsoft.AspNetCore.Connections;
using Orleans.Configuration;
using Orleans.Dashboard;

namespace Whip.Grains.Silos;

/// <summary>Configures the silo of a broker where it differs from the defaults of Orleans, with the reasons.</summary>
internal static class SiloConfiguration
{
    /// <summary>
    /// A killed silo is declared dead after at most three probes of a second, by two others or by the only other one. A silo whose host hangs keeps
    /// its connections, which delays the verdict by three probes of the longest timeout: nine seconds.
    /// </summary>
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan MaxProbeTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Silos send each other every change; reading the table finds those that were lost.</summary>
    private static readonly TimeSpan TableRefresh = TimeSpan.FromSeconds(10);

    /// <summary>After the crash of a whole cluster, a silo that starts ignores those that have not written for three of these.</summary>
    private static readonly TimeSpan AliveInterval = TimeSpan.FromSeconds(5);

    /// <summary>Callers go on without the answer sooner.</summary>
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(2);

    /// <summary>For grains of names that are no longer dialled; the next dial activates one again, which asks every silo once.</summary>
    private static readonly TimeSpan CollectionAge = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan DefunctExpiration = TimeSpan.FromDays(1);

    public static void Configure(ISiloBuilder silo, SiloSetup setup, SiloFatalErrorHandler fatal, NewcomerCheck check, ILogger log, TimeProvider time)
    {
        silo.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (setup.ClusterId, "whip"));
        silo.Configure<SiloOptions>(options => options.SiloName = setup.BrokerId);
        silo.Configure<EndpointOptions>(options =>
        {
            (options.AdvertisedIPAddress, options.SiloPort) = (setup.External.Address, setup.External.Port);
            (options.SiloListeningEndpoint, options.GatewayListeningEndpoint) = (setup.Listen, setup.GatewayListen);
            options.GatewayPort = setup.GatewayListen?.Port ?? 0;
        });
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            (options.ProbeTimeout, options.MaxProbeTimeout) = (ProbeTimeout, MaxProbeTimeout);
            (options.TableRefreshTimeout, options.IAmAliveTablePublishTimeout) = (TableRefresh, AliveInterval);
            options.DefunctSiloExpiration = DefunctExpiration;
        });
        silo.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = ResponseTimeout);
        silo.Services.AddSingleton<IMembershipTable>(services => new MendingTable(
            setup.Store,
            services,
            () => fatal.Died.IsCompleted,
            (table, cancellationToken) => check.RunAsync(SiloCalls.Of(services), table, cancellationToken),
            time,
            log));
        // Before UseTls, so that it sees the first bytes, and after it, so that it sees what TLS has let through.
        UseInbound(silo, setup.Guard);
        if (setup.Tls is { } identity)
        {
            silo.UseTls(new SiloTls(identity, setup.ClusterId, log).Configure);
        }

        UseInbound(silo, setup.Admission);
        if (setup.Transport is { } transport)
        {
            ReplaceTransport(silo.Services, transport);
        }

        silo.AddDashboard(options => options.HideTrace = true);
        DashboardPages.AddServices(silo.Services);
    }

    /// <summary>Adds the grain service, and what it and the grains need of one broker.</summary>
    public static void AddBroker(ISiloBuilder silo, LocalRoutes local, MemberTable members, TimeProvider time)
    {
        silo.Configure<GrainCollectionOptions>(options => options.CollectionAge = CollectionAge);
        silo.Services.AddSingleton(local);
        silo.Services.AddSingleton(members);
        silo.Services.AddKeyedSingleton(HoldingGrain.Clock, time);
        silo.Services.AddSingleton<OwnHoldings>();
        silo.Services.AddSingleton<BrokerSilos>();
        silo.Services.AddSingleton<ISiloWitness>(services => services.GetRequiredService<BrokerSilos>());
        silo.AddGrainService<BrokerSilo>();
    }

    private static void UseInbound(ISiloBuilder silo, Func<ConnectionDelegate, ConnectionDelegate> middleware) =>
        silo.Configure<SiloConnectionOptions>(options =>
        {
            options.ConfigureSiloInboundConnection(connections => connections.Use(middleware));
            options.ConfigureGatewayInboundConnection(connections => connections.Use(middleware));
        });

    /// <summary>Orleans registers the transport of each of its listeners under a key of its own.</summary>
    private static void ReplaceTransport(IServiceCollection services, IConnectionListenerFactory transport)
    {
        for (var i = 0; i < services.Count; i++)
        {
            if (services[i] is { IsKeyedService: true, ServiceKey: { } key } service && service.ServiceType == typeof(IConnectionListenerFactory))
            {
                services[i] = ServiceDescriptor.KeyedSingleton(key, transport);
            }
        }
    }
}
