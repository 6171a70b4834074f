using System.Net;
using System.Net.Sockets;
using Whip.Agent.Legs;
using Whip.Protocol.Messages;

namespace Whip.Tests.Agent.Legs;

public sealed class ConnectTests : AgentTest
{
    [Theory, PlainAndTls]
    public async Task A_dial_reaches_the_service_and_each_direction_ends_by_itself(bool tls)
    {
        var (broker, agent, stream) = await RegisterAsync(tls);
        await stream.ConnectAsync("id-1", ServicePort);
        await using var leg = await broker.AcceptLegAsync("id-1");
        await using var service = await AcceptServiceAsync();

        await service.WriteAsync("hello"u8.ToArray());
        Assert.Equal("hello"u8.ToArray(), await leg.ReadExactlyAsync(5));
        await leg.WriteAsync("request"u8.ToArray());
        await leg.CompleteWritesAsync();
        Assert.Equal("request"u8.ToArray(), await service.ReadToEndAsync());
        await service.WriteAsync("answer"u8.ToArray());
        service.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("answer"u8.ToArray(), await leg.ReadToEndAsync());
        await UntilIdleAsync(agent);
    }

    [Fact]
    public async Task A_dead_address_of_the_service_or_of_the_leg_does_not_fail_a_dial()
    {
        var broker = await StartBrokerAsync();
        using var service = new TwoAddresses(ServicePort);
        using var legs = new TwoAddresses(broker.LegPort);
        await StartAgentAsync([$"127.0.0.1:{broker.Grpc.Port}"], change: o => o.TargetHost = "service.test", resolve: TwoAddresses.Resolve);

        // An original server may name any host for a leg.
        var stream = await broker.NextStreamAsync();
        await stream.ConnectAsync("id-1", ServicePort, c => c.Host = "broker.test");
        await using var leg = await broker.AcceptLegAsync("id-1");
        await using var accepted = await AcceptServiceAsync();
    }

    [Fact]
    public async Task The_agent_connects_to_ports_it_never_published()
    {
        var broker = await StartBrokerAsync();
        using var secret = new TcpListener(IPAddress.Loopback, 0);
        secret.Start();
        await StartAgentAsync(broker);
        var stream = await broker.RegisterAsync();
        var port = ((IPEndPoint)secret.LocalEndpoint).Port;
        await stream.ConnectAsync("id-1", port);
        Assert.Equal($"local port {port}: not published", await stream.FailureAsync("id-1"));
        Assert.False(secret.Pending());
        Assert.False(broker.HasPendingLeg());
    }

    [Theory]
    [InlineData("*.clients", "b.clients", true)]
    [InlineData("*.clients", "b.others", false)]
    [InlineData("*.clients", null, false)]
    [InlineData(null, null, true)]
    public async Task Only_dialers_that_the_agent_allows_are_connected(string? pattern, string? dialer, bool allowed)
    {
        var (broker, _, stream) = await RegisterAsync(change: o => o.AllowDialers = pattern is null ? [] : [pattern]);
        await stream.ConnectAsync("id-1", ServicePort, c => c.Dialer.Add(dialer is null ? [] : new[] { "x", dialer }));
        if (allowed)
        {
            await using var leg = await broker.AcceptLegAsync("id-1");
            return;
        }

        Assert.Equal("dialer: not allowed", await stream.FailureAsync("id-1"));
        Assert.False(HasPendingService());
    }

    [Theory]
    [InlineData("10.11.12.13", 80u)]
    [InlineData("metadata.internal", 80u)]
    [InlineData("127.0.0.2", 80u)]
    [InlineData("not a name", 80u)]
    [InlineData("127.0.0.1", 0u)]
    [InlineData("127.0.0.1", 65536u)]
    public async Task A_broker_that_announced_its_legs_can_not_send_them_elsewhere(string host, uint port)
    {
        var (_, _, stream) = await RegisterAsync();
        await stream.ConnectAsync("id-1", ServicePort, c => (c.Host, c.Port) = (host, port));
        Assert.Equal("leg: host not allowed", await stream.FailureAsync("id-1"));
        Assert.False(HasPendingService());
    }

    [Fact]
    public async Task Legs_go_where_the_broker_announced_and_by_the_announced_port_only()
    {
        var broker = await StartBrokerAsync();
        using var elsewhere = new TcpListener(IPAddress.Parse("127.0.0.2"), 0);
        elsewhere.Start();
        var port = ((IPEndPoint)elsewhere.LocalEndpoint).Port;
        await StartAgentAsync(broker);
        var stream = await broker.NextStreamAsync();
        await stream.AcceptAsync("broker-1", $"127.0.0.2:{port}");
        await stream.ConnectAsync("id-1", ServicePort, c => (c.Host, c.Port) = ("127.0.0.2", (uint)port));
        using var leg = await elsewhere.AcceptSocketAsync().WaitAsync(Patience.Long);
        await stream.ConnectAsync("id-2", ServicePort, c => (c.Host, c.Port) = ("127.0.0.2", (uint)port + 1));
        Assert.Equal("leg: host not allowed", await stream.FailureAsync("id-2"));
    }

    [Fact]
    public async Task A_leg_to_the_host_of_the_control_stream_goes_to_the_same_address()
    {
        var broker = await StartBrokerAsync();
        await StartAgentAsync([$"brokers.invalid:{broker.Grpc.Port}"], resolve: LoopbackAsync);
        var stream = await broker.RegisterAsync();
        await stream.ConnectAsync("id-1", ServicePort, c => c.Host = "Brokers.Invalid");
        await using var leg = await broker.AcceptLegAsync("id-1");
    }

    [Fact]
    public async Task An_original_server_announces_nothing_and_may_name_any_host()
    {
        var broker = await StartBrokerAsync();
        using var elsewhere = new TcpListener(IPAddress.Parse("127.0.0.2"), 0);
        elsewhere.Start();
        await StartAgentAsync(broker);
        var stream = await broker.NextStreamAsync();
        await stream.ConnectAsync("id-1", ServicePort, c => (c.Host, c.Port) = ("127.0.0.2", (uint)((IPEndPoint)elsewhere.LocalEndpoint).Port));
        using var leg = await elsewhere.AcceptSocketAsync().WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task A_closed_local_port_is_said_before_a_leg_is_opened()
    {
        var broker = await StartBrokerAsync();
        using var unheard = Unheard(out var closed);
        await StartAgentAsync(broker, change: o => o.Ports = [closed]);
        var stream = await broker.RegisterAsync();
        await stream.ConnectAsync("id-1", closed);
        Assert.Equal($"local port {closed}: connection refused", await stream.FailureAsync("id-1"));
        Assert.False(broker.HasPendingLeg());
    }

    [Fact]
    public async Task A_leg_that_nobody_accepts_is_said_and_the_local_connection_ends()
    {
        var (_, agent, stream) = await RegisterAsync();
        using var unheard = Unheard(out var closed);
        await stream.ConnectAsync("id-1", ServicePort, c => c.Port = (uint)closed);
        Assert.Equal("leg: connection refused", await stream.FailureAsync("id-1"));
        await using var service = await AcceptServiceAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => service.ReadToEndAsync());
        await UntilIdleAsync(agent);
    }

    [Fact]
    public async Task A_leg_to_a_listener_without_TLS_is_refused_when_TLS_is_on()
    {
        var broker = await StartBrokerAsync(tls: true);
        using var plain = new TcpListener(IPAddress.Loopback, 0);
        plain.Start();
        await StartAgentAsync(broker, tls: true);
        var stream = await broker.RegisterAsync();
        await stream.ConnectAsync("id-1", ServicePort, c => c.Port = (uint)((IPEndPoint)plain.LocalEndpoint).Port);
        using var leg = await plain.AcceptSocketAsync().WaitAsync(Patience.Long);
        await leg.SendAsync("plain text\r\n"u8.ToArray());
        Assert.StartsWith("leg: TLS handshake failed: is it the rendezvous port ", await stream.FailureAsync("id-1"));
    }

    [Fact]
    public async Task The_deadline_of_a_connect_ends_it()
    {
        var (_, agent, stream) = await RegisterAsync(tls: true);
        await stream.ConnectAsync("id-1", ServicePort, c => c.Deadline = 200);
        Assert.Equal("leg: deadline passed", await stream.FailureAsync("id-1"));
        await UntilIdleAsync(agent);
    }

    [Fact]
    public async Task A_cancelled_connect_closes_what_it_opened_and_answers_nothing()
    {
        var (_, agent, stream) = await RegisterAsync(tls: true);
        await stream.ConnectAsync("id-1", ServicePort, c => c.Deadline = 60_000);
        await using var service = await AcceptServiceAsync();
        await stream.SendAsync(new ResponseStream { Cancel = new Cancel { ConnectionID = "id-1" } });
        await Assert.ThrowsAnyAsync<IOException>(() => service.ReadToEndAsync());
        await UntilIdleAsync(agent);
        await stream.SendAsync(new ResponseStream { Ping = new Ping { Sequence = 9 } });
        Assert.Equal(9ul, (await stream.NextAsync())!.Pong.Sequence);
    }

    [Fact]
    public async Task More_pending_connects_than_a_stream_may_have_are_refused_and_the_others_go_on()
    {
        var (_, agent, stream) = await RegisterAsync(tls: true, o => o.Limits.PendingDialsPerAgent = 2);
        foreach (var id in new[] { "id-1", "id-2", "id-3" })
        {
            await stream.ConnectAsync(id, ServicePort, c => c.Deadline = 60_000);
        }

        Assert.Equal("connects: too many pending", await stream.FailureAsync("id-3"));
        await stream.ConnectAsync("id-2", ServicePort);
        Assert.Equal(2, agent.PendingConnects);
    }

    [Fact]
    public async Task Of_many_connects_that_are_refused_a_few_are_logged()
    {
        var (_, _, stream) = await RegisterAsync();
        for (var i = 0; i < 100; i++)
        {
            await stream.ConnectAsync($"id-{i}", ServicePort, c => c.Host = "10.11.12.13");
            Assert.Equal("leg: host not allowed", await stream.FailureAsync($"id-{i}"));
        }

        Assert.Equal(10, Logs.Records.Count(record => record.Event.Name == nameof(LegLog.Refused)));
        Assert.Contains("whip_agent_connects_total{outcome=\"refused\"} 100\n", await ScrapeAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\"b")]
    [InlineData("a\nb")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123x")]
    public async Task An_id_that_would_not_survive_the_preamble_is_refused(string id)
    {
        var (_, _, stream) = await RegisterAsync();
        await stream.ConnectAsync(id, ServicePort);
        Assert.Equal("connection id: not one", await stream.FailureAsync(id));
    }

    [Fact]
    public async Task Relays_outlive_the_control_stream_and_are_counted_while_they_run()
    {
        var (broker, agent, stream) = await RegisterAsync();
        await stream.ConnectAsync("id-1", ServicePort);
        await using var leg = await broker.AcceptLegAsync("id-1");
        await using var service = await AcceptServiceAsync();
        await Patience.UntilAsync(() => agent.OpenRelays == 1, "a relay");
        Assert.Contains($"whip_client_active_connections{{domain=\"testdom\",port=\"{ServicePort}\"}} 1\n", await ScrapeAsync());
        stream.End(new(Grpc.Core.StatusCode.Unavailable, "gone"));
        await broker.RegisterAsync();
        await leg.WriteAsync("still here"u8.ToArray());
        Assert.Equal("still here"u8.ToArray(), await service.ReadExactlyAsync(10));
        leg.Abort();
        await Assert.ThrowsAnyAsync<IOException>(() => service.ReadToEndAsync());
        await UntilIdleAsync(agent);
        Assert.Contains($"whip_client_active_connections{{domain=\"testdom\",port=\"{ServicePort}\"}} 0\n", await ScrapeAsync());
        Assert.Contains("whip_agent_relay_bytes_total{direction=\"to_agent\"} 10\n", await ScrapeAsync());
    }

    /// <summary>A port on which nobody listens, nor can begin to.</summary>
    private static Socket Unheard(out int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        return socket;
    }
}
