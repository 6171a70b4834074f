using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Whip.Grains.Silos;

/// <summary>One silo from its start to its end. A broker may have several, one after the other.</summary>
internal sealed class RunningSilo : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    private readonly IHost _host;
    private readonly SiloFatalErrorHandler _fatal;
    private readonly NewcomerCheck _check;
    private readonly TimeProvider _time;

    private RunningSilo(IHost host, SiloFatalErrorHandler fatal, NewcomerCheck check, TimeProvider time)
    {
        (_host, _fatal, _check, _time) = (host, fatal, check, time);
        Lifecycle = host.Services.GetRequiredService<ISiloLifecycleSubject>();
        Calls = SiloCalls.Of(host.Services);
        Membership = host.Services.GetRequiredService<IClusterMembershipService>();
        Dashboard = DashboardPages.Create(host.Services);
    }

    public ISiloLifecycleSubject Lifecycle { get; }

    public SiloCalls Calls { get; }

    public SiloAddress Address => Calls.Address;

    public IClusterMembershipService Membership { get; }

    /// <summary>The pages of the Orleans Dashboard.</summary>
    public RequestDelegate Dashboard { get; }

    /// <inheritdoc cref="SiloFatalErrorHandler.Died"/>
    public Task<string> Died => _fatal.Died;

    /// <summary>A later silo at the same address, for which Orleans declares the older one dead.</summary>
    public SiloAddress? Successor => Membership.CurrentSnapshot.Members.Keys.FirstOrDefault(silo => silo.IsSuccessorOf(Address));

    public static RunningSilo Create(SiloSetup setup, LocalRoutes local, MemberTable members, ILoggerFactory loggers, TimeProvider time)
    {
        var (fatal, check) = (new SiloFatalErrorHandler(), new NewcomerCheck(members, setup.ClusterId, time));
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<ILoggerFactory>(new SiloLoggerFactory(loggers, time));
        builder.Services.AddSingleton<IHostLifetime, NullLifetime>();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = StopTimeout);
        builder.UseOrleans(silo =>
        {
            SiloConfiguration.Configure(silo, setup, fatal, check, loggers.CreateLogger("Whip.Grains"), time);
            SiloConfiguration.AddBroker(silo, local, members, time);
        });
        builder.Services.Replace(ServiceDescriptor.Singleton<IFatalErrorHandler>(fatal));
        return new RunningSilo(builder.Build(), fatal, check, time);
    }

    /// <exception cref="Exception">It could not join: the database, the network, an address in use.</exception>
    public Task StartAsync(CancellationToken cancellationToken) => _host.StartAsync(cancellationToken);

    /// <summary>Declares dead the silos that this broker had when it crashed; there may be no other silo to do it. Repeated until they are.</summary>
    public async Task EndPredecessorsAsync()
    {
        foreach (var silo in _check.Predecessors.Where(silo => Membership.CurrentSnapshot.GetSiloStatus(silo) == SiloStatus.Active))
        {
            await Membership.TryKill(silo);
        }
    }

    /// <summary>
    /// Leaves the cluster if that is possible in time; otherwise the others declare the silo dead. While the database is away Orleans retries its
    /// writes without end: the part that is left running ends by itself, because the table of a dead silo answers at once.
    /// </summary>
    public async ValueTask DisposeAsync() => await Task.WhenAny(EndAsync(), Task.Delay(EndTimeout, _time));

    private async Task EndAsync()
    {
        using var timeout = new CancellationTokenSource(StopTimeout, _time);
        await using var end = timeout.Token.Register(_fatal.GiveUpStopping);
        try
        {
            await _host.StopAsync(timeout.Token);
        }
        catch (Exception)
        {
            // Orleans does not stop a silo whose start has not ended. Its parts are stopped here: the grain directory would otherwise
            // use a whole core, in a loop over a membership that has ended.
            await Lifecycle.OnStop(timeout.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await ((IAsyncDisposable)_host).DisposeAsync().AsTask().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Signals are handled by the broker: its drain comes before the end of its silo.</summary>
    private sealed class NullLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
