using System.Net;
using System.Text;
using Microsoft.Extensions.Primitives;
using Whip.Proxy.Clients;
using Whip.Proxy.Requests;

namespace Whip.Tests.Proxy;

public sealed class AuthorizationTests
{
    private const string Good = "Basic d2hpcHByb3h5OnM6w6ljcmV0"; // whipproxy:s:écret

    [Theory]
    [InlineData(true, Good)]
    [InlineData(true, "bAsIc  d2hpcHByb3h5OnM6w6ljcmV0")]
    [InlineData(false)]
    [InlineData(false, "")]
    [InlineData(false, "Basic")]
    [InlineData(false, "Basic ")]
    [InlineData(false, "Basic !!!")]
    [InlineData(false, "Bearer d2hpcHByb3h5OnM6w6ljcmV0")]
    [InlineData(false, "Basic d2hpcHByb3h5Og==")] // no password
    [InlineData(false, "Basic d2hpcHByb3h5OnM6w6ljcmV0cw==")] // one letter more
    [InlineData(false, Good, Good)]
    [InlineData(false, "Basic eDp5", Good)]
    [InlineData(false, Good + ", " + Good)]
    public void One_credential_is_accepted(bool accepted, params string[] headers) =>
        Assert.Equal(accepted, new ProxyAuthorization("whipproxy", "s:écret").Accepts(new StringValues(headers)));

    [Theory, PlainAndTls]
    public async Task A_client_may_try_again_on_the_same_connection(bool tls)
    {
        await using var service = Service.Start(async leg => await leg.WriteAsync(await leg.ReadExactlyAsync(5)));
        await using var run = await ProxyRun.StartAsync(service, tls, options => options.Password = "secret");
        var client = await run.ConnectAsync();

        var refused = await client.AskAsync("CONNECT instance1.testdom:5051 HTTP/1.1\r\n\r\n");
        await client.SendAsync($"CONNECT instance1.testdom:5051 HTTP/1.1\r\nProxy-Authorization: {Basic("whipproxy:secret")}\r\n\r\n");
        var accepted = await Wire.ReadHeadAsync(client);
        await client.SendAsync("hello");

        Assert.StartsWith("HTTP/1.1 407 ", refused, StringComparison.Ordinal);
        Assert.Contains("\r\nProxy-Authenticate: Basic realm=", refused, StringComparison.Ordinal);
        Assert.DoesNotContain("Connection: close", refused, StringComparison.OrdinalIgnoreCase);
        Assert.StartsWith("HTTP/1.1 200 ", accepted, StringComparison.Ordinal);
        Assert.Equal("hello", await Wire.ReadAsync(client, 5));
        Assert.Single(run.Dialer.Dials);
    }

    [Theory, PlainAndTls]
    public async Task The_proxys_credential_stays_here_and_the_upstreams_passes(bool tls)
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var run = await ProxyRun.StartAsync(service, tls, options => options.Password = "secret");
        using var client = run.CreateClient("whipproxy:secret");
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://instance1.testdom/");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer for-the-upstream");

        var response = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var head = Assert.Single(service.Heads);
        Assert.Contains("\r\nAuthorization: Bearer for-the-upstream\r\n", head, StringComparison.Ordinal);
        Assert.DoesNotContain("Proxy-Auth", head, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task The_credential_of_the_upstream_is_not_valid_for_the_proxy()
    {
        await using var run = await ProxyRun.StartAsync(configure: options => options.Password = "secret");
        using var http = run.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://instance1.testdom/");
        request.Headers.TryAddWithoutValidation("Authorization", Basic("whipproxy:secret"));
        var client = await run.ConnectAsync();

        await client.SendAsync($"CONNECT instance1.testdom:80 HTTP/1.1\r\nAuthorization: {Basic("whipproxy:secret")}\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 407 ", await Wire.ReadAnswerAsync(client), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.ProxyAuthenticationRequired, (await http.SendAsync(request)).StatusCode);
        Assert.Empty(run.Dialer.Dials);
    }

    [Fact]
    public async Task A_client_without_the_password_makes_room_for_newer_ones_and_one_with_it_does_not()
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var run = await ProxyRun.StartAsync(configure: options =>
        {
            options.Password = "secret";
            options.Limits.UnauthenticatedConnections = 2;
        });
        run.Dialer.Map("instance1.testdom:80", service.EndPoint);
        var known = await run.ConnectAsync();
        var get = $"GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\nProxy-Authorization: {Basic("whipproxy:secret")}\r\n\r\n";
        await known.AskAsync(get);
        var oldest = await run.ConnectAsync();
        await oldest.AskAsync("CONNECT instance1.testdom:80 HTTP/1.1\r\n\r\n");

        for (var i = 0; i < 2; i++)
        {
            var silent = await run.ConnectAsync();
            await silent.AskAsync("CONNECT instance1.testdom:80 HTTP/1.1\r\n\r\n");
        }

        Assert.Equal("", await Wire.ReadToEndAsync(oldest));
        Assert.StartsWith("HTTP/1.1 200 ", await known.AskAsync(get), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_many_requests_without_the_password_a_few_are_logged()
    {
        var time = new FakeTimeProvider();
        await using var run = await ProxyRun.StartAsync(configure: options => options.Password = "secret", time: time);
        var client = await run.ConnectAsync();
        for (var i = 0; i < 100; i++)
        {
            Assert.StartsWith("HTTP/1.1 407 ", await client.AskAsync("CONNECT instance1.testdom:80 HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        }

        Assert.Equal(10, run.Logs.Records.Count(record => record.Event.Name == nameof(ProxyLog.Refused)));
        time.Advance(TimeSpan.FromMinutes(1));
        await run.Logs.WaitForAsync(
            record => record.Message == "proxy listener refused 90 more connections in a minute", "the line about the others");
    }

    [Fact]
    public async Task Without_a_password_it_listens_on_the_loopback_interface_only_and_says_so_once()
    {
        await using var open = await ProxyRun.StartAsync();
        await using var locked = await ProxyRun.StartAsync(configure: options => options.Password = "secret");

        Assert.Equal(IPAddress.Loopback, open.Proxy.LocalEndPoint.Address);
        Assert.Equal(IPAddress.IPv6Any, locked.Proxy.LocalEndPoint.Address);
        Assert.Single(open.Logs.Records, record => record.Event.Name == nameof(ProxyLog.LoopbackOnly));
        Assert.DoesNotContain(locked.Logs.Records, record => record.Event.Name == nameof(ProxyLog.LoopbackOnly));
    }

    private static string Basic(string credential) => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(credential));
}
