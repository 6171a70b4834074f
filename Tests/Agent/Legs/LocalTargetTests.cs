using System.Net;
using System.Net.Sockets;
using Whip.Agent;
using Whip.Agent.Legs;
using Whip.Protocol.Legs;

namespace Whip.Tests.Agent.Legs;

/// <summary>Where the agent connects for each of its ports. The service of most tests is a Unix socket.</summary>
public sealed class LocalTargetTests : AgentTest, IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Socket _unix = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private string Path => _folder.PathOf("app.sock");

    public void Dispose()
    {
        _unix.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Each_published_port_is_connected_to_its_own_target_and_no_target_is_published()
    {
        using var elsewhere = new TcpListener(IPAddress.Parse("127.0.0.2"), 0);
        elsewhere.Start();
        Listen();
        PublishedPort[] ports = [new(1, $"{ServicePort}"), new(2, $"{elsewhere.LocalEndpoint}"), new(3, $"unix:{Path}")];
        var (broker, _, stream) = await RegisterAsync(change: o => o.Ports = ports);
        Assert.Equal([1u, 2u, 3u], stream.Register.Ports);
        Func<Task<Socket>>[] services = [async () => (await AcceptServiceAsync()).Socket, elsewhere.AcceptSocketAsync, _unix.AcceptAsync];
        for (var i = 0; i < services.Length; i++)
        {
            await stream.ConnectAsync($"id-{i}", i + 1);
            await using var leg = await broker.AcceptLegAsync($"id-{i}");
            await using var service = new NetworkStream(await services[i]().WaitAsync(Patience.Long), ownsSocket: true);
            await leg.WriteAsync(new byte[] { (byte)i });
            Assert.Equal([(byte)i], await service.ReadExactlyAsync(1));
        }

        await stream.ConnectAsync("id-9", ServicePort);
        Assert.Equal($"local port {ServicePort}: not published", await stream.FailureAsync("id-9"));
        Assert.False(HasPendingService());
        Assert.Contains("whip_client_active_connections{domain=\"testdom\",port=\"3\"}", await ScrapeAsync());
    }

    [Theory, PlainAndTls]
    public async Task Each_direction_of_a_unix_socket_ends_by_itself(bool tls)
    {
        var (leg, service, agent) = await DialAsync(tls);
        await leg.WriteAsync("request"u8.ToArray());
        await leg.CompleteWritesAsync();
        Assert.Equal("request"u8.ToArray(), await service.ReadToEndAsync());
        await service.WriteAsync("answer"u8.ToArray());
        service.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("answer"u8.ToArray(), await leg.ReadToEndAsync());
        await UntilIdleAsync(agent);
    }

    [Theory, PlainAndTls]
    public async Task A_service_at_a_unix_socket_that_ends_first_is_written_to_until_the_dialer_ends(bool tls)
    {
        var (leg, service, agent) = await DialAsync(tls);
        await service.WriteAsync("banner"u8.ToArray());
        service.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("banner"u8.ToArray(), await leg.ReadToEndAsync());
        await leg.WriteAsync("still here"u8.ToArray());
        Assert.Equal("still here"u8.ToArray(), await service.ReadExactlyAsync(10));
        await leg.CompleteWritesAsync();
        Assert.Empty(await service.ReadToEndAsync());
        await UntilIdleAsync(agent);
    }

    [Theory, PlainAndTls]
    public async Task A_service_at_a_unix_socket_that_closes_with_bytes_unread_resets_the_dial(bool tls)
    {
        var (leg, service, agent) = await DialAsync(tls);
        await leg.WriteAsync(new byte[2]);
        Assert.Equal([0], await service.ReadExactlyAsync(1));

        // Not Dispose, which shuts the socket down first: that is an end.
        service.Socket.Close(0);
        await Assert.ThrowsAnyAsync<IOException>(() => leg.ReadToEndAsync());
        await UntilIdleAsync(agent);
    }

    [Theory, PlainAndTls]
    public async Task A_service_at_a_unix_socket_sees_a_reset_as_an_end_that_it_cannot_answer(bool tls)
    {
        var (leg, service, agent) = await DialAsync(tls);
        await leg.WriteAsync(new byte[1]);
        Assert.Equal([0], await service.ReadExactlyAsync(1));
        leg.Abort();
        Assert.Empty(await service.ReadToEndAsync());
        await Assert.ThrowsAnyAsync<IOException>(() => service.WriteAsync(new byte[1]).AsTask());
        await UntilIdleAsync(agent);
    }

    [Fact]
    public async Task A_megabyte_each_way_goes_through_a_unix_socket()
    {
        var (leg, service, _) = await DialAsync(tls: false);
        var sent = new byte[1_000_000];
        Random.Shared.NextBytes(sent);
        var echoing = service.CopyToAsync(service);
        var reading = leg.ReadExactlyAsync(sent.Length);
        await leg.WriteAsync(sent);
        Assert.Equal(sent, await reading);
        await leg.CompleteWritesAsync();
        await echoing.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task What_is_wrong_with_a_target_is_told_by_its_class_and_the_address_only_in_the_agents_log()
    {
        using var unheard = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        unheard.Bind(new UnixDomainSocketEndPoint(Path));
        PublishedPort[] ports = [new(1, $"unix:{_folder.PathOf("none")}"), new(2, $"unix:{Path}"), new(3, "nowhere.invalid:80")];
        var (broker, _, stream) = await RegisterAsync(change: o => o.Ports = ports);
        string[] classes = ["no such socket", "connection refused", "name not found"];
        for (var port = 1; port <= classes.Length; port++)
        {
            await stream.ConnectAsync($"id-{port}", port);
            Assert.Equal($"local port {port}: {classes[port - 1]}", await stream.FailureAsync($"id-{port}"));
        }

        Assert.False(broker.HasPendingLeg());
        var logged = Logs.Records.Where(record => record.Event.Name == nameof(LegLog.ConnectFailed)).Select(record => record.Message).ToList();
        Assert.Contains($"local port 1: no such socket (unix:{_folder.PathOf("none")}: ", logged[0]);
        Assert.Contains("local port 3: name not found (nowhere.invalid:80: ", logged[2]);
    }

    [Fact]
    public async Task A_dial_waits_for_a_unix_socket_whose_queue_is_full()
    {
        Listen(backlog: 0);
        var (broker, _, stream) = await RegisterAsync(change: o => o.Ports = [new(1, $"unix:{Path}")]);
        using var first = await FillAsync();
        await stream.ConnectAsync("id-1", 1, connect => connect.Deadline = 60_000);
        await stream.ConnectAsync("id-2", 1, connect => connect.Deadline = 50);
        Assert.Equal("local port 1: deadline passed", await stream.FailureAsync("id-2"));
        using var accepted = await _unix.AcceptAsync().WaitAsync(Patience.Long);
        await using var leg = await broker.AcceptLegAsync("id-1");
        using var service = await _unix.AcceptAsync().WaitAsync(Patience.Long);
    }

    private void Listen(int backlog = 16)
    {
        _unix.Bind(new UnixDomainSocketEndPoint(Path));
        _unix.Listen(backlog);
    }

    /// <summary>Takes the one place in the queue.</summary>
    private async Task<Socket> FillAsync()
    {
        var first = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await first.ConnectAsync(new UnixDomainSocketEndPoint(Path));
        return first;
    }

    private async Task<(Leg Leg, NetworkStream Service, WhipAgent Agent)> DialAsync(bool tls)
    {
        Listen();
        var (broker, agent, stream) = await RegisterAsync(tls, o => o.Ports = [new(5353, $"unix:{Path}")]);
        await stream.ConnectAsync("id-1", 5353);
        var leg = Closing(await broker.AcceptLegAsync("id-1"));
        return (leg, Closing(new NetworkStream(await _unix.AcceptAsync().WaitAsync(Patience.Long), ownsSocket: true)), agent);
    }
}
