using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Whip.Grains.Dashboard;
using Whip.Grains.Members;
using Whip.Registry.Routes;

namespace Whip.Grains.Silos;

/// <summary>One silo from its start to its end. A broker may have several, one after the other.</summary>
internal sealed class RunningSilo : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    private readonly IHost _host;
    private readonly SiloDeath _death;
    private readonly NewcomerCheck _check;

    private RunningSilo(IHost host, SiloDeath death, NewcomerCheck check)
    {
        (_host, _death, _check) = (host, death, check);
        Lifecycle = host.Services.GetRequiredService<ISiloLifecycleSubject>();
        Calls = SiloCalls.Of(host.Services);
        Membership = host.Services.GetRequiredService<IClusterMembershipService>();
        Dashboard = DashboardPages.Create(host.Services);
    }

    /// <summary>How far its parts have started and stopped.</summary>
    public ISiloLifecycleSubject Lifecycle { get; }

    public SiloCalls Calls { get; }

    public SiloAddress Address => Calls.Address;

    public IClusterMembershipService Membership { get; }

    /// <summary>The pages of the Orleans Dashboard.</summary>
    public RequestDelegate Dashboard { get; }

    /// <summary>Completes, with the reason, when the silo is not one of the cluster any more.</summary>
    public Task<string> Died => _death.Died;

    /// <summary>A later silo at the same address: Orleans takes an older one for dead.</summary>
    public SiloAddress? Successor => Membership.CurrentSnapshot.Members.Keys.FirstOrDefault(silo => silo.IsSuccessorOf(Address));

    public static RunningSilo Create(SiloSetup setup, LocalRoutes local, MemberTable members, ILoggerFactory loggers, TimeProvider time)
    {
        var (death, check) = (new SiloDeath(), new NewcomerCheck(members, setup.ClusterId, time));
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<ILoggerFactory>(new SiloLoggerFactory(loggers));
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = StopTimeout);
        builder.UseOrleans(silo =>
        {
            SiloConfiguration.Configure(silo, setup, death, check, loggers.CreateLogger("Whip.Grains"), time);
            SiloConfiguration.AddBroker(silo, local, members, time);
        });
        builder.Services.Replace(ServiceDescriptor.Singleton<IFatalErrorHandler>(death));
        return new RunningSilo(builder.Build(), death, check);
    }

    /// <exception cref="Exception">It could not join: the database, the network, an address in use.</exception>
    public Task StartAsync(CancellationToken cancellationToken) => _host.StartAsync(cancellationToken);

    /// <summary>Takes the silos for dead that this broker had when it crashed; nobody else may be there to do it. To be repeated until they are.</summary>
    public async Task EndPredecessorsAsync()
    {
        foreach (var silo in _check.Predecessors.Where(silo => Membership.CurrentSnapshot.GetSiloStatus(silo) == SiloStatus.Active))
        {
            await Membership.TryKill(silo);
        }
    }

    /// <summary>
    /// Leaves the cluster if it can in time; the others find out if not. Orleans would go on trying to write what it cannot while the database
    /// is away: what is left behind ends by itself, for a silo that has ended waits for no table.
    /// </summary>
    public async ValueTask DisposeAsync() => await Task.WhenAny(EndAsync(), Task.Delay(EndTimeout));

    private async Task EndAsync()
    {
        using var timeout = new CancellationTokenSource(StopTimeout);
        await using var end = timeout.Token.Register(_death.Stopped);
        try
        {
            await _host.StopAsync(timeout.Token);
        }
        catch (Exception)
        {
            // Orleans stops no silo whose start has not come to its end. Its parts are stopped all the same: the grain directory would otherwise
            // go round and round over a membership that has ended, with a whole core.
            await Lifecycle.OnStop(timeout.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await ((IAsyncDisposable)_host).DisposeAsync().AsTask().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
