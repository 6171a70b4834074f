using System.Net;
using System.Net.Sockets;
using System.Text;
using Whip.Client;
using Whip.Protocol.Dialing;

namespace Whip.Tests.Client;

/// <summary>Dials whose broker is reached through an HTTP proxy.</summary>
public sealed class ProxiedDialTests
{
    [Theory, PlainAndTls]
    public async Task Dials_go_through_the_tunnel_and_the_next_one_uses_it_again(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var service = await RealService.StartAsync(broker, tls, connection => connection.EchoAsync());
        await using var proxy = new TunnelProxy(_ => broker.Broker.DialEndPoint);
        using var dialer = Dialer(broker, $"localhost:{broker.Broker.DialEndPoint!.Port}", proxy.Url);
        for (var i = 0; i < 5; i++)
        {
            var stream = await dialer.DialAsync("web.testdom", service.Port).WaitAsync(Patience.Long);
            var tag = Encoding.ASCII.GetBytes($"dial {i}");
            await stream.WriteAsync(tag);
            await stream.CompleteWritesAsync();
            Assert.Equal(tag, await stream.ReadToEndAsync());
            await stream.DisposeAsync();
            await Patience.UntilAsync(() => dialer.Kept == 1, "the connection to be kept");
        }

        // The proxy is asked for the name, and told nothing of the dial.
        Assert.Equal([$"localhost:{broker.Broker.DialEndPoint.Port}"], proxy.Targets);
        Assert.DoesNotContain("web.testdom", Assert.Single(proxy.Heads));
    }

    [Theory, PlainAndTls]
    public async Task A_tunnel_that_the_proxy_cut_between_two_dials_is_replaced(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var service = await RealService.StartAsync(broker, tls, connection => connection.EchoAsync());
        await using var proxy = new TunnelProxy(_ => broker.Broker.DialEndPoint);
        using var dialer = Dialer(broker, $"localhost:{broker.Broker.DialEndPoint!.Port}", proxy.Url);
        await (await dialer.DialAsync("web.testdom", service.Port).WaitAsync(Patience.Long)).DisposeAsync();
        await Patience.UntilAsync(() => dialer.Kept == 1, "the connection to be kept");
        proxy.Cut();
        await (await dialer.DialAsync("web.testdom", service.Port).WaitAsync(Patience.Long)).DisposeAsync();
        Assert.Equal(2, proxy.Heads.Count);
    }

    [Theory, PlainAndTls]
    public async Task A_redirect_is_followed_through_the_proxy(bool tls)
    {
        await using var holder = new RedirectingFront(tls, _ => RedirectingFront.Established);
        await using var ingress = new RedirectingFront(tls, _ => RedirectingFront.To(holder.Authority));
        await using var proxy = new TunnelProxy(to => new IPEndPoint(IPAddress.Loopback, int.Parse(to.Split(':')[1], null)));
        var identity = tls ? TestCertificates.Shared.ClientIdentity("dialer.testdom") : null;
        using var dialer = new WhipDialer(
            new WhipDialerOptions { Brokers = [ingress.Authority], Via = { Proxy = proxy.Url } }, identity, new FakeTimeProvider(), first: 0);
        await using var stream = await dialer.DialAsync(new DialRequest("web.testdom", 1)).WaitAsync(Patience.Long);
        Assert.Equal([ingress.Authority, holder.Authority], proxy.Targets);
    }

    [Fact]
    public async Task A_dial_that_the_proxy_cut_says_so()
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var service = await RealService.StartAsync(broker, tls: true, connection => connection.EchoAsync());
        await using var proxy = new TunnelProxy(_ => broker.Broker.DialEndPoint);
        using var dialer = Dialer(broker, $"localhost:{broker.Broker.DialEndPoint!.Port}", proxy.Url);
        await using var stream = await dialer.DialAsync("web.testdom", service.Port).WaitAsync(Patience.Long);
        proxy.Cut();
        var error = await Assert.ThrowsAsync<IOException>(() => stream.ReadToEndAsync());
        Assert.Contains($"the proxy {proxy.Url} may have cut it", error.Message);
    }

    [Fact]
    public async Task The_brokers_certificate_is_checked_for_the_name_that_was_dialled()
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var proxy = new TunnelProxy(_ => broker.Broker.DialEndPoint);
        using var dialer = Dialer(broker, "elsewhere.example:8010", proxy.Url);
        var result = await dialer.TryDialAsync(new DialRequest("web.testdom", 1) { Deadline = Patience.Long });
        Assert.Equal(DialOutcome.BrokerUnreachable, result.Outcome);
        Assert.Contains("elsewhere.example", result.Reason);
        Assert.Equal(["elsewhere.example:8010"], proxy.Targets);
    }

    [Fact]
    public async Task A_proxy_that_refuses_is_named()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var proxy = new TunnelProxy(_ => null);
        using var dialer = Dialer(broker, "broker.example:8010", proxy.Url.Replace("http://", "http://alice:secret@", StringComparison.Ordinal));
        var result = await dialer.TryDialAsync(new DialRequest("web.testdom", 1) { Deadline = Patience.Long });
        Assert.Equal(DialOutcome.BrokerUnreachable, result.Outcome);
        Assert.StartsWith($"no connection to broker.example:8010: the proxy {proxy.Url} allows no tunnel to broker.example:8010 (403); ", result.Reason);
        Assert.DoesNotContain("secret", result.Reason);
    }

    [Fact]
    public async Task A_proxy_that_is_away_is_named()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        using var unused = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unused.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var dialer = Dialer(broker, "broker.example:8010", $"http://{unused.LocalEndPoint}");
        var result = await dialer.TryDialAsync(new DialRequest("web.testdom", 1) { Deadline = Patience.Long });
        Assert.StartsWith($"no connection to broker.example:8010: the proxy http://{unused.LocalEndPoint} cannot be reached: ", result.Reason);
    }

    [Fact]
    public async Task A_proxy_that_is_silent_is_named()
    {
        var asked = new TaskCompletionSource();
        await using var proxy = FakeDialFront.Silent(tls: false, asked);
        var time = new FakeTimeProvider();
        var options = new WhipDialerOptions { Brokers = ["broker.example:8010"], Tls = { Enabled = false }, Via = { Proxy = $"http://{proxy.Authority}" } };
        using var dialer = new WhipDialer(options, identity: null, time, first: 0);
        var dialing = dialer.TryDialAsync(new DialRequest("web.testdom", 1) { Deadline = TimeSpan.FromSeconds(3) }).AsTask();
        await asked.Task.WaitAsync(Patience.Long);
        time.Advance(TimeSpan.FromSeconds(3));
        var result = await dialing.WaitAsync(Patience.Long);
        Assert.Equal($"no connection through the proxy http://{proxy.Authority} to broker.example:8010 within 3 s", result.Reason);
    }

    private static WhipDialer Dialer(TestBroker broker, string front, string proxy) => new(
        new WhipDialerOptions { Brokers = [front], FollowRedirects = false, Via = { Proxy = proxy } },
        broker.Client("dialer.testdom"), TimeProvider.System, first: 0);
}
