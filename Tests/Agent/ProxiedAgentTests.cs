using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Whip.Agent;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Tests.Agent;

/// <summary>Agents whose brokers are reached through an HTTP proxy.</summary>
public sealed class ProxiedAgentTests : AgentTest
{
    [Theory, PlainAndTls]
    public async Task Control_streams_and_legs_go_through_tunnels_to_the_addresses_of_their_names(bool tls)
    {
        var broker = await StartBrokerAsync(tls);
        var proxy = Closing(new TunnelProxy());
        await StartAgentAsync([$"localhost:{broker.Grpc.Port}"], tls, o => o.Via.Proxy = proxy.Url, resolve: LoopbackAsync);
        var stream = await broker.NextStreamAsync();
        await stream.AcceptAsync("broker-1", $"127.0.0.1:{broker.LegPort}", $"localhost:{broker.LegPort}");
        foreach (var (id, host) in new[] { ("id-1", "127.0.0.1"), ("id-2", "localhost") })
        {
            await stream.ConnectAsync(id, ServicePort, connect => connect.Host = host);
            await using var leg = await broker.AcceptLegAsync(id);
            await using var service = await AcceptServiceAsync();
            await service.WriteAsync("hello"u8.ToArray());
            Assert.Equal("hello"u8.ToArray(), await leg.ReadExactlyAsync(5));
            await leg.CompleteWritesAsync();
            Assert.Empty(await service.ReadToEndAsync());
        }

        Assert.Equal([$"127.0.0.1:{broker.Grpc.Port}", $"127.0.0.1:{broker.LegPort}", $"127.0.0.1:{broker.LegPort}"], proxy.Targets);
    }

    [Theory, PlainAndTls]
    public async Task A_name_that_cannot_be_looked_up_is_the_proxys_to_look_up(bool tls)
    {
        var broker = await StartBrokerAsync(tls);
        var proxy = Closing(new TunnelProxy(Loopback));
        var agent = await StartAgentAsync([$"localhost:{broker.Grpc.Port}"], tls, o => o.Via.Proxy = proxy.Url, resolve: NobodyAsync);
        var stream = await broker.NextStreamAsync();
        await stream.AcceptAsync("broker-1", $"localhost:{broker.LegPort}");
        await Patience.UntilAsync(() => agent.IsReady, "readiness");
        await stream.ConnectAsync("id-1", ServicePort, connect => connect.Host = "localhost");
        await using var leg = await broker.AcceptLegAsync("id-1");
        await using var service = await AcceptServiceAsync();

        // The name may lead to another broker: nothing but what this one has announced leads to it.
        foreach (var (id, host, port) in new[] { ("id-2", "localhost", broker.Grpc.Port), ("id-3", "127.0.0.1", broker.LegPort) })
        {
            await stream.ConnectAsync(id, ServicePort, connect => (connect.Host, connect.Port) = (host, (uint)port));
            Assert.Equal("leg: host not allowed", await stream.FailureAsync(id));
        }

        Assert.Equal([$"localhost:{broker.Grpc.Port}", $"localhost:{broker.LegPort}"], proxy.Targets);
        Assert.Equal(1, agent.HomeCount);
    }

    [Fact]
    public async Task A_leg_that_meets_another_broker_fails_its_dial_by_name_and_tells_that_one_nothing()
    {
        var asking = await StartBrokerAsync(identity: TestCertificates.Shared.MemberIdentity("c", "b1"));
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var name = $"localhost:{asking.LegPort}";
        var proxy = Closing(new TunnelProxy(to => to == name ? (IPEndPoint)other.LocalEndpoint : Loopback(to)));
        await StartAgentAsync([$"localhost:{asking.Grpc.Port}"], tls: true, o => o.Via.Proxy = proxy.Url, resolve: NobodyAsync);
        var stream = await asking.NextStreamAsync();
        await stream.AcceptAsync("b1", name);
        await stream.ConnectAsync("id-1", ServicePort, connect => connect.Host = "localhost");
        await using var met = new Leg(await other.AcceptSocketAsync().WaitAsync(Patience.Long));
        var told = Record.ExceptionAsync(async () =>
        {
            await met.AuthenticateAsServerAsync(TestCertificates.Shared.MemberIdentity("c", "b2"), PeerRole.Client, default);
            await met.ReadExactlyAsync(1);
        });
        Assert.Equal($"leg: at {name} is whip://c/broker/b2, not whip://c/broker/b1", await stream.FailureAsync("id-1"));

        // The agent resets in the other's handshake, or after it.
        Assert.True(await told.WaitAsync(Patience.Long) is IOException or LegHandshakeException);
    }

    [Theory]
    [InlineData("HTTP/1.1 403 Forbidden\r\n\r\n", "proxy_refused", "(squid: SSL_ports and Safe_ports; tinyproxy: ConnectPort)")]
    [InlineData("HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\n\r\n", "proxy_refused", "does not accept the user and password (407)")]
    [InlineData("HTTP/1.1 503 x\r\n\r\n", "proxy_failed", "cannot reach 127.0.0.1:50051 (503)")]
    [InlineData("", "proxy_unreachable", "ended the connection without an answer")]
    public async Task A_proxy_that_makes_no_tunnel_is_named_counted_and_left_alone_for_a_while(string answer, string reason, string problem)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var proxy = Closing(FakeDialFront.Answering(tls: false, answer));
        var url = $"http://alice:secret@{proxy.Authority}";
        await StartAgentAsync(["127.0.0.1:50051"], change: o => o.Via.Proxy = url, time: time);
        var lost = (await Logs.WaitForAsync("Lost")).Message;
        Assert.Contains($"no control stream to 127.0.0.1:50051: Unavailable: the proxy http://{proxy.Authority} {problem}", lost.Replace(
            $"allows no tunnel to 127.0.0.1:50051 (403); most proxies allow port 443 alone: let it allow port 50051 too ", "", StringComparison.Ordinal));
        await Patience.UntilAsync(async () => (await ScrapeAsync()).Contains($"whip_agent_reconnects_total{{reason=\"{reason}\"}} 1\n"), "the count");

        // Its time stands still: nobody asks again.
        Assert.Equal(1, proxy.Accepted);
        await time.AdvanceUntilAsync(() => proxy.Accepted == 3, "two more attempts", step: TimeSpan.FromSeconds(10));
        Assert.DoesNotContain(Logs.Records, record => record.Message.Contains("secret"));
    }

    [Fact]
    public async Task A_proxy_that_is_away_or_silent_is_named()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var asked = new TaskCompletionSource();
        var silent = Closing(FakeDialFront.Silent(tls: false, asked));
        using var unused = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unused.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await StartAgentAsync(["127.0.0.1:50051"], change: o => o.Via.Proxy = $"http://{unused.LocalEndPoint}", time: time);
        Assert.Contains($"the proxy http://{unused.LocalEndPoint} cannot be reached: ", (await Logs.WaitForAsync("Lost")).Message);

        var other = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var agent = Closing(new WhipAgent(
            new WhipAgentOptions
            {
                Hostname = "b",
                Domain = "testdom",
                Ports = [1],
                Endpoints = ["127.0.0.1:50051"],
                Tls = { Enabled = false },
                Via = { Proxy = $"http://{silent.Authority}" },
            },
            WhipAgent.NewOpenings(TimeProvider.System), Logs, Prometheus.Metrics.NewCustomRegistry(), other));
        await agent.StartAsync();
        await asked.Task.WaitAsync(Patience.Long);
        other.Advance(TimeSpan.FromSeconds(5));
        var why = $"no connection within 5 s through the proxy http://{silent.Authority}: it does not answer, or finds nobody at 127.0.0.1:50051";
        await Logs.WaitForAsync(record => record.Event.Name == "Lost" && record.Message.Contains(why, StringComparison.Ordinal), why);
    }

    [Theory, PlainAndTls]
    public async Task A_stream_that_the_proxy_cut_is_lost_to_the_proxy_and_comes_back(bool tls)
    {
        var broker = await StartBrokerAsync(tls);
        var proxy = Closing(new TunnelProxy());
        var agent = await StartAgentAsync([$"127.0.0.1:{broker.Grpc.Port}"], tls, o => o.Via.Proxy = proxy.Url);
        await broker.RegisterAsync();
        await Patience.UntilAsync(() => agent.IsReady, "readiness");
        proxy.Cut();
        Assert.Contains($"the proxy {proxy.Url} may have cut it", (await Logs.WaitForAsync("Lost")).Message);
        await broker.RegisterAsync();
        Assert.Contains("whip_agent_reconnects_total{reason=\"lost\"} 1\n", await ScrapeAsync());
    }

    [Fact]
    public async Task A_leg_without_a_tunnel_tells_the_dialer_of_a_proxy_and_not_which()
    {
        var broker = await StartBrokerAsync();
        var proxy = Closing(new TunnelProxy(to => to == $"127.0.0.1:{broker.LegPort}" ? null : IPEndPoint.Parse(to)));
        await StartAgentAsync(broker, change: o => o.Via.Proxy = proxy.Url);
        var stream = await broker.RegisterAsync();
        await stream.ConnectAsync("id-1", ServicePort);
        Assert.Equal("leg: the agent's proxy answered with 403", await stream.FailureAsync("id-1"));
        Assert.Contains($"the proxy {proxy.Url} allows no tunnel to ", (await Logs.WaitForAsync("ConnectFailed")).Message);
    }

    [Fact]
    public async Task A_broker_that_says_why_it_ends_is_counted_so()
    {
        var (broker, _, stream) = await RegisterAsync();
        stream.End(Status.DefaultSuccess);
        (await broker.NextStreamAsync()).End(new Status(StatusCode.Unavailable, "drains"));
        (await broker.NextStreamAsync()).End(new Status(StatusCode.PermissionDenied, "no"));
        await broker.RegisterAsync();
        var scrape = await ScrapeAsync();
        Assert.All(["closed", "unavailable", "refused"], reason => Assert.Contains($"whip_agent_reconnects_total{{reason=\"{reason}\"}} 1\n", scrape));
        Assert.Contains("whip_agent_reconnects_total{reason=\"lost\"} 0\n", scrape);
    }

    /// <summary>The proxy finds every name on this machine.</summary>
    private static IPEndPoint Loopback(string to) => new(IPAddress.Loopback, int.Parse(to.Split(':')[1], null));

    private static Task<IPAddress[]> NobodyAsync(string host, CancellationToken cancellationToken) =>
        host == "localhost" || host.Length == 0 ? throw new SocketException((int)SocketError.HostNotFound) : Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
}
