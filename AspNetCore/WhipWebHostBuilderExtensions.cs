using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Whip.Agent;
using Whip.AspNetCore.Dials;
using Whip.Hosting.Listening;
using Whip.Hosting.Programs;

namespace Whip.AspNetCore;

/// <summary>Serves an ASP.NET Core app on dials.</summary>
public static class WhipWebHostBuilderExtensions
{
    // What an app has still to send when it ends is in the buffers of connections.
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Makes the app the agent of one registered name: Kestrel serves the dials of the published ports as it serves connections, without a port or a socket
    /// of its own. HTTP/1.1 and HTTP/2 without TLS are told apart by their first bytes. As for every app whose end points are configured in code, Kestrel
    /// then listens at none of the URLs of <c>ASPNETCORE_URLS</c>; an address to listen at besides is given to <c>ConfigureKestrel</c>.
    /// <para>
    /// A stop leaves the brokers first. Requests may go on for the host's shutdown timeout, and are then reset; what the dialers have to read after that for
    /// <see cref="WhipAgentOptions.DrainTimeout"/>, which is 5 seconds here. Each call adds one more name. The <see cref="WhipAgent"/> is a service of the
    /// app.
    /// </para>
    /// </summary>
    /// <param name="builder">The app's.</param>
    /// <param name="configure">
    /// Sets name, ports, brokers and certificate. Options that cannot work fail the start of the host, or already the <c>Build</c> of the app, with an
    /// <see cref="OptionsValidationException"/>.
    /// </param>
    /// <param name="listen">
    /// Configures how Kestrel serves a port, such as by <c>UseHttps</c>, and is called with the port and with what is told to Kestrel; for a port that has
    /// both HTTP/1.1 and HTTP/2, as by default, twice. Such a port waits for the first bytes of the dialer; one of a protocol whose server speaks first has
    /// <see cref="HttpProtocols.None"/>.
    /// </param>
    public static IWebHostBuilder UseWhip(
        this IWebHostBuilder builder, Action<WhipAgentOptions> configure, Action<int, ListenOptions>? listen = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        return builder.ConfigureServices(services =>
        {
            var key = EmbeddedPart.Add<WhipAgentOptions, DialServer>(
                services,
                options =>
                {
                    options.DrainTimeout = DrainTimeout;
                    configure(options);
                },
                static (provider, options, context) => new DialServer(options, provider.GetRequiredService<HandshakeSlots>(), context));
            services.AddOptions<WhipAgentOptions>($"{key}")
                .Validate(static options => options.TargetHost == new WhipAgentOptions().TargetHost, NotServed(nameof(WhipAgentOptions.TargetHost)))
                .Validate(static options => options.Ports.All(port => port.Target is null), NotServed(nameof(WhipAgentOptions.Ports)))
                .Validate(static options => options.ProxyProtocol.Count == 0, NotServed(nameof(WhipAgentOptions.ProxyProtocol)))
                .Validate(static options => options.Checks.Count == 0, NotServed(nameof(WhipAgentOptions.Checks)));
            services.TryAddSingleton(provider => WhipAgent.NewOpenings(provider.GetRequiredService<TimeProvider>()));
            services.AddSingleton(provider => provider.GetRequiredKeyedService<DialServer>(key).Agent);

            // Kestrel itself adds it only if there is no other.
            services.TryAddSingleton<IConnectionListenerFactory, SocketTransportFactory>();
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IConnectionListenerFactory, DialListenerFactory>());

            // After everything else, so that what the app says of all end points holds for these too.
            services.AddSingleton<IPostConfigureOptions<KestrelServerOptions>>(provider => new PostConfigureOptions<KestrelServerOptions>(
                Options.DefaultName, kestrel => provider.GetRequiredKeyedService<DialServer>(key).ListenWith(kestrel, listen)));
        });
    }

    private static string NotServed(string option) =>
        $"{nameof(WhipAgentOptions)}.{option}: is of a service that is connected to, but the app serves the dials itself; leave it out";
}
