using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Whip.Grains.Dashboard;
using Whip.Registry.Routes;

namespace Whip.Grains.Silo;

/// <summary>One silo from its start to its end. A broker may have several, one after the other.</summary>
internal sealed class RunningSilo : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    private readonly IHost _host;
    private readonly SiloDeath _death;

    private RunningSilo(IHost host, SiloDeath death)
    {
        (_host, _death) = (host, death);
        Calls = SiloCalls.Of(host.Services);
        Membership = host.Services.GetRequiredService<IClusterMembershipService>();
        Dashboard = DashboardPages.Create(host.Services);
    }

    public SiloCalls Calls { get; }

    public SiloAddress Address => Calls.Address;

    public IClusterMembershipService Membership { get; }

    /// <summary>The pages of the Orleans Dashboard.</summary>
    public RequestDelegate Dashboard { get; }

    /// <summary>Completes, with the reason, when the silo is one of the cluster no more.</summary>
    public Task<string> Died => _death.Died;

    /// <exception cref="Exception">It could not join: the database, the network, an address in use.</exception>
    public static async Task<RunningSilo> StartAsync(
        SiloSetup setup, LocalRoutes local, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        var death = new SiloDeath();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<ILoggerFactory>(new SiloLoggerFactory(loggers));
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = StopTimeout);
        builder.UseOrleans(silo =>
        {
            SiloConfiguration.Configure(silo, setup, death, loggers.CreateLogger("Whip.Grains"), time);
            SiloConfiguration.AddBroker(silo, setup.BrokerId, local);
        });
        builder.Services.Replace(ServiceDescriptor.Singleton<IFatalErrorHandler>(death));
        var host = builder.Build();
        try
        {
            await host.StartAsync(cancellationToken);
            return new RunningSilo(host, death);
        }
        catch
        {
            await Task.WhenAny(EndAsync(host, death), Task.Delay(EndTimeout, CancellationToken.None));
            throw;
        }
    }

    /// <summary>
    /// Leaves the cluster if it can in time; the others find out if not. Orleans would go on trying to write what it cannot while the database
    /// is away: what is left behind ends by itself, for a silo that has ended waits for no table.
    /// </summary>
    public async ValueTask DisposeAsync() => await Task.WhenAny(EndAsync(_host, _death), Task.Delay(EndTimeout));

    private static async Task EndAsync(IHost host, SiloDeath death)
    {
        using var timeout = new CancellationTokenSource(StopTimeout);
        await using var end = timeout.Token.Register(death.Stopped);
        try
        {
            await host.StopAsync(timeout.Token);
        }
        catch (Exception)
        {
            // Nobody was told: a silo that is gone is noticed.
        }

        await ((IAsyncDisposable)host).DisposeAsync().AsTask().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
