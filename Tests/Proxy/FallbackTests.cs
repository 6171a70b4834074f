using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Proxy.Fallback;

namespace Whip.Tests.Proxy;

public sealed class FallbackTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("10.0.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("100.127.255.255")]
    [InlineData("169.254.169.254")]
    [InlineData("100.100.100.200")]
    [InlineData("192.0.0.192")]
    [InlineData("168.63.129.16")]
    [InlineData("fd00:ec2::254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.1")]
    [InlineData("192.168.1.1")]
    [InlineData("198.18.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("::127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("2001:0:7f00:1::1")]
    [InlineData("2002:7f00:1::1")]
    [InlineData("fc00::1")]
    [InlineData("fd12:3456::1")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    public void Addresses_that_are_not_public_are_refused(string address) => Assert.False(new FallbackAddresses([]).Permits(IPAddress.Parse(address)));

    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.1")]
    [InlineData("172.32.0.1")]
    [InlineData("223.255.255.255")]
    [InlineData("2606:4700::1111")]
    public void Public_addresses_are_not(string address) => Assert.True(new FallbackAddresses([]).Permits(IPAddress.Parse(address)));

    [Fact]
    public void What_is_allowed_by_name_is_allowed_and_nothing_beside_it()
    {
        var addresses = new FallbackAddresses([IPNetwork.Parse("10.1.0.0/16"), IPNetwork.Parse("::1/128")]);

        Assert.True(addresses.Permits(IPAddress.Parse("10.1.2.3")));
        Assert.True(addresses.Permits(IPAddress.IPv6Loopback));
        Assert.False(addresses.Permits(IPAddress.Parse("10.2.0.1")));
        Assert.False(addresses.Permits(IPAddress.Parse("::ffff:10.1.2.3")));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    [InlineData("LOCALHOST.")]
    [InlineData("[::1]")]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("0.0.0.0")]
    [InlineData("[::]")]
    [InlineData("127.1")]
    [InlineData("0x7f000001")]
    [InlineData("2130706433")]
    [InlineData("0177.0.0.1")]
    [InlineData("169.254.169.254")]
    public async Task The_proxys_own_machine_is_out_of_reach_however_it_is_written(string host)
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
        await using var run = await ProxyRun.StartAsync(configure: options => options.Fallback = true);
        var target = $"{host}:{service.EndPoint.Port}";
        var tunnel = await run.ConnectAsync();
        var plain = await run.ConnectAsync();

        await tunnel.SendAsync($"CONNECT {target} HTTP/1.1\r\n\r\n");
        await plain.SendAsync($"GET http://{target}/ HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n");

        Assert.Matches("^HTTP/1.1 40[034] ", await Wire.ReadToEndAsync(tunnel));
        Assert.Matches("^HTTP/1.1 40[034] ", await Wire.ReadToEndAsync(plain));
        Assert.Equal(0, service.Connections);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_public_address_of_the_proxys_own_machine_is_out_of_reach_unless_it_is_allowed(bool allowed)
    {
        // In a network of its own, where a public address is this machine's; the proxy's page of health stands for a service there.
        var proxy = Path.Combine(AppContext.BaseDirectory, "whip-proxy");
        var flags = allowed ? "--fallback-allow 9.9.9.9/32" : "";
        var run = await ShellCommand.RunAsync(
            "/", "unshare", "--map-root-user", "--net", "sh", "-c",
            $"ip link set lo up && ip addr add 9.9.9.9/32 dev lo || exit 3\n"
            + $"'{proxy}' --tls=false --broker 127.0.0.1:1 --proxy-listen-port 18008 --metrics-listen 0.0.0.0:18080 --fallback {flags} >/dev/null 2>&1 &\n"
            + "curl --silent --noproxy '*' --retry 100 --retry-delay 1 --retry-connrefused http://127.0.0.1:18080/healthz >/dev/null || exit 4\n"
            + "curl --silent --max-time 20 --output /dev/null --write-out '%{http_code}' --proxy http://127.0.0.1:18008 http://9.9.9.9:18080/healthz\n"
            + "kill $! && wait $!");
        Assert.Equal(allowed ? "200" : "403", run.Text);
        Assert.Equal(0, run.ExitCode);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    public async Task An_unknown_host_with_an_allowed_address_is_reached_directly(string host)
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var run = await ProxyRun.StartAsync(configure: options =>
        {
            options.Fallback = true;
            options.FallbackAllow.Add(IPNetwork.Parse("127.0.0.0/8"));
        });
        using var client = run.CreateClient();

        Assert.Equal("ok", await client.GetStringAsync($"http://{host}:{service.EndPoint.Port}/"));
    }

    [Fact]
    public async Task A_dead_address_does_not_fail_a_direct_connection()
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        using var name = new TwoAddresses(service.EndPoint.Port);
        var addresses = new FallbackAddresses([IPNetwork.Parse("127.0.0.0/8")]);
        var connector = new Connector(TimeProvider.System, resolve: TwoAddresses.Resolve);
        var dialer = new FallbackDialer(new FakeDialer(), addresses, connector, TimeProvider.System, NullLogger.Instance);
        await using var stream = await dialer.DialAsync("service.test", name.Port).WaitAsync(Patience.Long);
    }

    [Theory]
    [InlineData(DialOutcome.NoSuchHost)]
    [InlineData(DialOutcome.PortNotPublished)]
    [InlineData(DialOutcome.Denied)]
    [InlineData(DialOutcome.AgentFailed)]
    [InlineData(DialOutcome.BrokerUnreachable)]
    public async Task A_name_the_brokers_know_is_never_reached_directly(DialOutcome outcome)
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var run = await ProxyRun.StartAsync(configure: options =>
        {
            options.Fallback = true;
            options.FallbackAllow.Add(IPNetwork.Parse("127.0.0.0/8"));
        });
        var name = HostPort.Format("localhost", service.EndPoint.Port);
        run.Dialer.Fail(name, outcome, "known");
        using var client = run.CreateClient();

        using var response = await client.GetAsync($"http://{name}/");

        Assert.Equal("whip-proxy: known\n", await response.Content.ReadAsStringAsync());
        Assert.Equal(0, service.Connections);
    }

    [Fact]
    public async Task Without_the_flag_nothing_is_reached_directly()
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var run = await ProxyRun.StartAsync(configure: options => options.FallbackAllow.Add(IPNetwork.Parse("127.0.0.0/8")));
        using var client = run.CreateClient();

        using var response = await client.GetAsync($"http://localhost:{service.EndPoint.Port}/");

        Assert.Equal(404, (int)response.StatusCode);
        Assert.Equal(0, service.Connections);
    }
}
