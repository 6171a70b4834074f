using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Whip.AspNetCore;
using Whip.Protocol.Dialing;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Tests.AspNetCore;

/// <summary>An app with <c>UseWhip</c> from its start to its end.</summary>
public sealed class LifeTests
{
    private static readonly WhipTlsOptions Nowhere = new() { CertPath = "/nowhere.pem", KeyPath = "/nowhere.pem", CaCertPath = "/nowhere.pem" };

    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(200);

    [Theory, PlainAndTls]
    public async Task A_stop_leaves_the_broker_first_and_lets_a_request_end(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        var (asked, mayAnswer) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var app = await DialedApp.StartAsync(broker, tls, map => map.MapGet("/", async () =>
        {
            asked.SetResult();
            await mayAnswer.Task;
            return "last words";
        }));
        await using var idle = await app.DialAsync();
        await using var silent = await app.DialAsync();
        await idle.WriteAsync(DialedApp.Request("/missing", headers: ""));
        Assert.StartsWith("HTTP/1.1 404", Encoding.ASCII.GetString(await idle.ReadExactlyAsync(12)));
        var answering = app.Client().GetStringAsync("/");
        await asked.Task.WaitAsync(Patience.Long);
        var stopping = app.App.StopAsync();
        await Patience.UntilAsync(() => broker.Parts.Streams.Count == 0, "no control stream");
        Assert.Equal(DialOutcome.NoSuchDomain, (await app.Dialer().TryDialAsync(new DialRequest(DialedApp.Name, DialedApp.Port))).Outcome);

        // Neither has a request that is under way.
        await idle.ReadToEndAsync();
        Assert.Empty(await silent.ReadToEndAsync());
        Assert.False(stopping.IsCompleted);
        mayAnswer.SetResult();
        Assert.Equal("last words", await answering.WaitAsync(Patience.Long));
        await idle.DisposeAsync();
        await silent.DisposeAsync();
        await stopping.WaitAsync(Patience.Long);
        Assert.DoesNotContain(broker.Logs.Records, record => record.Event.Name == "RelaysCut");
    }

    [Fact]
    public async Task A_request_that_outlasts_the_shutdown_timeout_is_reset()
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        var (asked, aborted) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var app = await DialedApp.StartAsync(
            broker,
            tls: true,
            map => map.MapGet("/", async (HttpContext context) =>
            {
                context.RequestAborted.Register(aborted.SetResult);
                await context.Response.WriteAsync("never finished");
                asked.SetResult();
                await aborted.Task;
            }),
            build => build.WebHost.UseShutdownTimeout(Short));
        await using var stream = await app.DialAsync();
        await stream.WriteAsync(DialedApp.Request("/"));
        await asked.Task.WaitAsync(Patience.Long);
        await app.App.StopAsync(new CancellationTokenSource(Short).Token).WaitAsync(Patience.Long);
        await aborted.Task.WaitAsync(Patience.Long);
        await Assert.ThrowsAnyAsync<IOException>(() => stream.ReadToEndAsync());
    }

    [Fact]
    public async Task What_the_app_has_written_reaches_a_dialer_that_reads_it_after_the_stop_began()
    {
        var bytes = new byte[100_000];
        new Random(3).NextBytes(bytes);
        await using var broker = await TestBroker.StartAsync(tls: true);
        var answered = new TaskCompletionSource();
        await using var app = await DialedApp.StartAsync(broker, tls: true, map => map.MapGet("/", async (HttpContext context) =>
        {
            context.Response.ContentLength = bytes.Length;
            await context.Response.Body.WriteAsync(bytes);
            answered.SetResult();
        }));
        await using var stream = await app.DialAsync();
        await stream.WriteAsync(DialedApp.Request("/"));
        await answered.Task.WaitAsync(Patience.Long);
        var stopping = app.App.StopAsync();
        Assert.Equal(bytes, (await stream.ReadToEndAsync())[^bytes.Length..]);
        await stream.DisposeAsync();
        await stopping.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task An_app_may_listen_at_an_address_too_and_tells_the_ways_apart()
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var app = await DialedApp.StartAsync(
            broker,
            tls: true,
            map => map.MapGet("/", (HttpContext context) => $"{context.Features.Get<IWhipDialFeature>()?.Port} {context.Connection.LocalPort}"),
            build => build.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0)));
        var urls = app.App.Urls.Select(url => new Uri(url)).ToList();
        var tcp = urls.Single(url => url.Host == "127.0.0.1");
        Assert.All(urls.Where(url => url != tcp), url => Assert.Equal("http://web.testdom/", $"{url}"));
        using var client = new HttpClient();
        Assert.Equal($" {tcp.Port}", await client.GetStringAsync(tcp));
        Assert.Equal("80 0", await app.Client().GetStringAsync("/"));
    }

    [Fact]
    public async Task An_app_that_listens_nowhere_else_opens_no_port()
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var app = await DialedApp.StartAsync(
            broker, tls: true, map => map.MapGet("/", () => "hello"), build => build.WebHost.UseUrls("http://127.0.0.1:0"));
        Assert.All(app.App.Urls, url => Assert.Equal("http://web.testdom:80", url));
        Assert.Equal("hello", await app.Client().GetStringAsync("/"));
    }

    [Theory]
    [InlineData("WhipAgentOptions.Ports: required; try 5051", "testdom")]
    [InlineData("WhipAgentOptions.Domain: required; try testdom", "", 80)]
    [InlineData(
        "WhipAgentOptions.TargetHost: is of a service that is connected to, but the app serves the dials itself; leave it out", "testdom", 80, "10.0.0.7")]
    public async Task A_host_does_not_start_with_options_that_cannot_work_and_names_the_property(
        string problem, string domain, int? port = null, string? target = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseWhip(options =>
        {
            (options.Hostname, options.Domain, options.Endpoints, options.Tls.Enabled) = ("web", domain, [":1"], false);
            options.TargetHost = target ?? options.TargetHost;
            if (port is { } published)
            {
                options.Ports.Add(published);
            }
        });
        Assert.Equal(problem, (await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(builder))).Message);
    }

    [Fact]
    public async Task A_certificate_that_is_missing_fails_the_start()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseWhip(options =>
            (options.Hostname, options.Domain, options.Endpoints, options.Ports, options.Tls) = ("web", "testdom", [":1"], [80], Nowhere));
        Assert.Contains("/nowhere.pem", (await Assert.ThrowsAsync<WhipOptionException>(() => StartAsync(builder))).Message);
    }

    [Fact]
    public async Task Each_call_adds_a_name()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var app = await DialedApp.StartAsync(
            broker,
            tls: false,
            map => map.MapGet("/", (HttpContext context) => context.Features.Get<IWhipDialFeature>()!.Name),
            build => build.WebHost.UseWhip(options =>
            {
                (options.Hostname, options.Domain, options.Ports, options.Tls.Enabled) = ("other", "testdom", [DialedApp.Port], false);
                options.Endpoints.Add($"{broker.Broker.GrpcEndPoint}");
            }));
        await Patience.UntilAsync(() => broker.Parts.Streams.Count == 2, "two registrations");
        foreach (var name in (string[])["web.testdom", "other.testdom"])
        {
            Assert.Equal(name, await app.Client().GetStringAsync($"http://{name}/"));
        }
    }

    private static async Task StartAsync(WebApplicationBuilder builder)
    {
        await using var app = builder.Build();
        await app.StartAsync();
    }
}
