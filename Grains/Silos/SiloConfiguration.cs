using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Dashboard;
using Whip.Grains.Dashboard;
using Whip.Grains.Index;
using Whip.Grains.Members;
using Whip.Grains.Membership;
using Whip.Registry.Routes;

namespace Whip.Grains.Silos;

/// <summary>What a broker's silo sets that Orleans has otherwise, and why.</summary>
internal static class SiloConfiguration
{
    /// <summary>
    /// A killed silo is declared dead after three probes of a second at most, by two others or by the only one. One whose host hangs keeps
    /// its connections, which counts as a sign of life for as long as three probes of the longest timeout take: nine seconds.
    /// </summary>
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan MaxProbeTimeout = TimeSpan.FromSeconds(3);

    /// <summary>The others tell each other what changed; the table is for what was missed.</summary>
    private static readonly TimeSpan TableRefresh = TimeSpan.FromSeconds(10);

    /// <summary>When a whole cluster crashed, who starts again passes over silos that were silent for three of these.</summary>
    private static readonly TimeSpan AliveInterval = TimeSpan.FromSeconds(5);

    /// <summary>No call here is worth more: who asked goes on without the answer.</summary>
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Grains of names that nobody dials any more; the next dial makes one anew, which asks every silo once.</summary>
    private static readonly TimeSpan CollectionAge = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan DefunctExpiration = TimeSpan.FromDays(1);

    public static void Configure(ISiloBuilder silo, SiloSetup setup, SiloDeath death, NewcomerCheck check, ILogger log, TimeProvider time)
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
            () => death.Died.IsCompleted,
            (table, cancellationToken) => check.RunAsync(SiloCalls.Of(services), table, cancellationToken),
            time,
            log));
        if (setup.Tls is { } identity)
        {
            silo.UseTls(new SiloTls(identity, setup.ClusterId, log).Configure);
        }

        silo.AddDashboard(options => options.HideTrace = true);
        DashboardPages.AddServices(silo.Services);
    }

    /// <summary>The grains, and what they ask the silo of one broker for.</summary>
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
}
