using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Whip.Protocol.Dialing;
using Whip.Proxy;
using Whip.Proxy.Requests;

namespace Whip.Tests.Proxy;

public sealed class LifeTests
{
    [Fact]
    public async Task A_stop_ends_idle_connections_and_lets_requests_and_tunnels_finish()
    {
        var go = new TaskCompletionSource();
        await using var slow = Service.Start(async leg =>
        {
            await Wire.ReadHeadAsync(leg);
            await go.Task;
            await leg.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
        await using var echo = Service.Start(async leg => await leg.WriteAsync(await leg.ReadExactlyAsync(4)));
        await using var run = await ProxyRun.StartAsync();
        run.Dialer.Map("slow.testdom:80", slow.EndPoint);
        run.Dialer.Map("echo.testdom:80", echo.EndPoint);
        var silent = await run.ConnectAsync();
        var tunnel = await run.ConnectAsync();
        await tunnel.SendAsync("CONNECT echo.testdom:80 HTTP/1.1\r\n\r\n");
        await Wire.ReadHeadAsync(tunnel);
        var asking = await run.ConnectAsync();
        await asking.SendAsync("GET http://slow.testdom/ HTTP/1.1\r\nHost: slow.testdom\r\n\r\n");
        await Patience.UntilAsync(() => run.Dialer.Dials.Count == 2, "both dials");

        var stop = run.Proxy.StopAsync();

        Assert.Equal("", await Wire.ReadToEndAsync(silent));
        await Assert.ThrowsAnyAsync<IOException>(async () => await FailToConnectAsync(run));
        Assert.False(stop.IsCompleted);
        go.SetResult();
        var answer = await Wire.ReadAnswerAsync(asking);
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("ok", answer, StringComparison.Ordinal);
        await tunnel.SendAsync("ping");
        Assert.Equal("ping", await Wire.ReadToEndAsync(tunnel));
        await tunnel.CompleteWritesAsync();
        await stop.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task What_outlives_the_drain_is_reset()
    {
        await using var service = Service.Start(leg => leg.ReadToEndAsync());
        await using var run = await ProxyRun.StartAsync(service, configure: options => options.DrainTimeout = TimeSpan.FromMilliseconds(50));
        var tunnel = await run.ConnectAsync();
        await tunnel.SendAsync("CONNECT instance1.testdom:80 HTTP/1.1\r\n\r\n");
        await Wire.ReadHeadAsync(tunnel);
        var asking = await run.ConnectAsync();
        await asking.SendAsync("GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n");
        await Patience.UntilAsync(() => service.Connections == 2, "both dials");

        await run.Proxy.StopAsync().WaitAsync(Patience.Long);

        await Assert.ThrowsAsync<IOException>(() => tunnel.ReadToEndAsync());
        Assert.Equal("", await Wire.ReadToEndAsync(asking));
    }

    [Fact]
    public async Task A_dial_at_a_broker_has_its_deadline_on_the_clock_of_the_proxy()
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource();
        await using var front = FakeDialFront.Silent(false, asked);
        await using var run = await ProxyRun.StartAsync(time: time, configure: options =>
        {
            (options.Dialer, options.Brokers) = (null, [front.Authority]);
            options.Tls.Enabled = false;
            options.Limits.DialDeadline = TimeSpan.FromMinutes(1);
        });
        var answer = run.AskAsync("GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n");
        await asked.Task.WaitAsync(Patience.Long);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.StartsWith("HTTP/1.1 504 ", await answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plain_http_on_the_tls_port_gets_an_answer_and_tls_on_the_plain_port_is_logged()
    {
        await using var secure = await ProxyRun.StartAsync(tls: true);
        await using var plain = await ProxyRun.StartAsync();
        using var lost = await Whip.Protocol.Legs.Leg.ConnectAsync(secure.EndPoint, default);
        var hello = await plain.ConnectAsync();

        await lost.SendAsync("GET http://instance1.testdom/ HTTP/1.1\r\n\r\n");
        await hello.SendAsync("\x16\x03\x01");

        Assert.Contains("this port speaks TLS", await Wire.ReadToEndAsync(lost), StringComparison.Ordinal);
        var record = await plain.Logs.WaitForAsync(nameof(ProxyLog.ClientRefused));
        Assert.Contains("speaks TLS, and this port does not", record.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_embeds_it_with_the_dialer_of_its_container()
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        var dialer = new FakeDialer();
        dialer.Map("instance1.testdom:80", service.EndPoint);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLogging();
        builder.Services.AddSingleton<IWhipDialer>(dialer);
        builder.Services.AddWhipProxy(options => options.ListenPort = 0);
        using var host = builder.Build();
        await host.StartAsync();
        var proxy = host.Services.GetRequiredService<WhipProxy>();

        using (var client = new HttpClient(new SocketsHttpHandler { Proxy = new System.Net.WebProxy($"http://{proxy.LocalEndPoint}") }))
        {
            Assert.Equal("ok", await client.GetStringAsync("http://instance1.testdom/"));
        }

        await host.StopAsync();
    }

    private static async Task FailToConnectAsync(ProxyRun run)
    {
        try
        {
            await run.ConnectAsync();
        }
        catch (System.Net.Sockets.SocketException error)
        {
            throw new IOException(error.Message, error);
        }
    }
}
