using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Whip.Agent;
using Whip.Broker;
using Whip.Client;
using Whip.Protocol.Dialing;
using Whip.Protocol.Tls;
using Whip.Proxy;

namespace Whip.Tests.Embedding;

/// <summary>The parts as libraries: whatever a program does can be done inside another.</summary>
public sealed class GenericHostTests
{
    [Theory, PlainAndTls]
    public async Task Broker_agent_and_proxy_share_one_host(bool tls)
    {
        using var folder = new TempFolder();
        using var logs = new CapturedLogs();
        await using var service = await StartServiceAsync("hello from behind");
        var broker = Broker(tls, folder);
        await broker.StartAsync();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddProvider(logs);
        builder.Services.AddWhipBroker(options =>
        {
            (options.GrpcListen, options.TcpListen, options.DialListen) = ("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0");
            options.Tls = Tls(tls, folder, broker: true);
        });
        builder.Services.AddWhipAgent(options =>
        {
            (options.Hostname, options.Domain) = ("instance1", "testdom");
            options.Ports = [service.Port];
            options.Endpoints = [$"127.0.0.1:{broker.GrpcEndPoint!.Port}"];
            options.Tls = Tls(tls, folder, broker: false);
        });
        builder.Services.AddWhipProxy(options =>
        {
            options.ListenPort = 0;
            options.Dialer = broker;
        });
        builder.Services.AddHttpClient("behind").UseWhip();
        using var host = builder.Build();
        await host.StartAsync().WaitAsync(Patience.Long);

        // The agent of the host registers at the broker outside it, where its proxy dials.
        using var proxied = new HttpClient(new SocketsHttpHandler
        {
            Proxy = new WebProxy($"http://127.0.0.1:{host.Services.GetRequiredService<WhipProxy>().LocalEndPoint.Port}"),
        });
        await Patience.UntilAsync(() => broker.Parts!.Streams.Count == 1, "the registration");
        Assert.Equal("hello from behind", await proxied.GetStringAsync($"http://instance1.testdom:{service.Port}/").WaitAsync(Patience.Long));

        // And the host's own broker is its dialer.
        var dialer = host.Services.GetRequiredService<IWhipDialer>();
        Assert.Same(host.Services.GetRequiredService<WhipBroker>(), dialer);
        var error = await Assert.ThrowsAsync<HttpRequestException>(
            () => host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("behind").GetStringAsync($"http://instance1.testdom:{service.Port}/"));
        Assert.Equal(DialOutcome.NoSuchDomain, Assert.IsType<WhipDialException>(error.InnerException).Outcome);

        await host.StopAsync().WaitAsync(Patience.Long);
        await broker.StopAsync().WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task An_http_client_of_the_host_reaches_an_agent_of_the_host()
    {
        await using var service = await StartServiceAsync("hello");
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        var grpc = FreePort.Find(1)[0];
        builder.Services.AddWhipBroker(options =>
        {
            (options.GrpcListen, options.TcpListen, options.DialListen) = ($"127.0.0.1:{grpc}", "127.0.0.1:0", "");
            options.Tls.Enabled = false;
        });
        builder.Services.AddWhipAgent(options =>
        {
            (options.Hostname, options.Domain) = ("instance1", "testdom");
            options.Ports = [service.Port];
            options.Endpoints = [$"127.0.0.1:{grpc}"];

            // The client keeps its connection for the next request, and the agent would wait for it.
            options.DrainTimeout = TimeSpan.FromMilliseconds(100);
            options.Tls.Enabled = false;
        });
        builder.Services.AddHttpClient("behind").UseWhip(wait: TimeSpan.FromSeconds(20));
        using var host = builder.Build();
        await host.StartAsync().WaitAsync(Patience.Long);
        using var client = host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("behind");
        Assert.Equal("hello", await client.GetStringAsync($"http://testdom:{service.Port}/").WaitAsync(Patience.Long));
        await host.StopAsync().WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task Every_call_adds_one_more_part_and_the_first_broker_dials()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        foreach (var id in (string[])["b1", "b2"])
        {
            builder.Services.AddWhipBroker(options =>
            {
                (options.GrpcListen, options.TcpListen, options.DialListen, options.BrokerId) = ("127.0.0.1:0", "127.0.0.1:0", "", id);
                options.Tls.Enabled = false;
            });
            builder.Services.AddWhipAgent(options =>
            {
                (options.Hostname, options.Domain, options.Endpoints, options.Ports) = (id, "testdom", [":1"], [80]);
                options.Tls.Enabled = false;
            });
            builder.Services.AddWhipProxy(options => options.ListenPort = 0);
        }

        using var host = builder.Build();
        await host.StartAsync().WaitAsync(Patience.Long);
        var brokers = host.Services.GetServices<WhipBroker>().ToList();
        Assert.Equal(["b1", "b2"], brokers.Select(broker => broker.Parts!.Identity.BrokerId));
        Assert.Equal(["b1.testdom", "b2.testdom"], host.Services.GetServices<WhipAgent>().Select(agent => agent.Name));
        Assert.Distinct(host.Services.GetServices<WhipProxy>().Select(proxy => proxy.LocalEndPoint.Port));
        Assert.Same(brokers[0], host.Services.GetRequiredService<IWhipDialer>());
        await host.StopAsync().WaitAsync(Patience.Long);
        Assert.All(brokers, broker => Assert.Null(broker.Parts));
    }

    [Fact]
    public async Task A_host_does_not_start_with_options_that_cannot_work_and_names_the_property()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddWhipAgent(options => (options.Hostname, options.Domain, options.Tls.Enabled) = ("instance1", "testdom", false));
        using var host = builder.Build();
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync().WaitAsync(Patience.Long));
        Assert.Equal("WhipAgentOptions.Ports: required; try 5051", error.Message);
    }

    [Fact]
    public async Task Two_brokers_live_in_one_process_and_know_nothing_of_each_other()
    {
        await using var first = await TestBroker.StartAsync(tls: false);
        await using var second = await TestBroker.StartAsync(tls: true);
        await using var agent = await first.RegisterAsync();

        var dialing = first.Broker.DialAsync("instance1.testdom", 5051);
        await using var leg = await agent.BringLegAsync(await agent.NextConnectAsync());
        await using var stream = await dialing.WaitAsync(Patience.Long);
        var elsewhere = await Assert.ThrowsAsync<WhipDialException>(() => second.Broker.DialAsync("instance1.testdom", 5051));
        Assert.Equal(DialOutcome.NoSuchDomain, elsewhere.Outcome);

        await second.Broker.StopAsync().WaitAsync(Patience.Long);
        await stream.WriteAsync("still here"u8.ToArray());
        Assert.Equal("still here", Encoding.ASCII.GetString(await leg.ReadExactlyAsync(10)));
    }

    private static WhipBroker Broker(bool tls, TempFolder folder) => new(new WhipBrokerOptions
    {
        GrpcListen = "127.0.0.1:0",
        TcpListen = "127.0.0.1:0",
        DialListen = "",
        Tls = Tls(tls, folder, broker: true),
    });

    private static WhipTlsOptions Tls(bool tls, TempFolder folder, bool broker) =>
        !tls ? new WhipTlsOptions { Enabled = false }
        : broker ? TestCertificates.Shared.WriteFiles(folder.FullName)
        : TestCertificates.Shared.WriteClientFiles(folder.FullName, "instance1.testdom");

    private static async Task<HttpService> StartServiceAsync(string answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(context => context.Response.WriteAsync(answer));
        await app.StartAsync();
        return new HttpService(app);
    }

    private sealed class HttpService(WebApplication app) : IAsyncDisposable
    {
        public int Port { get; } =
            new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
