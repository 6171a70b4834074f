using System.Net.Sockets;
using Grpc.Core;
using Whip.Broker;
using Whip.Protocol.Legs;

namespace Whip.Tests.Broker;

/// <summary>How a broker stops: what it refuses, what it lets finish, and what it leaves behind.</summary>
public sealed class StopTests
{
    [Theory, PlainAndTls]
    public async Task Stop_never_closes_the_TCP_listener(bool tls)
    {
        var listen = FreePort.Find(3).Select(port => $"127.0.0.1:{port}").ToArray();
        await using var broker = await TestBroker.StartAsync(tls, Listen);
        await using var agent = await broker.RegisterAsync();
        await using var silent = await Leg.ConnectAsync(broker.Broker.TcpEndPoint!, default);
        var (grpc, tcp, dial) = (broker.Broker.GrpcEndPoint!, broker.Broker.TcpEndPoint!, broker.Broker.DialEndPoint!);
        await broker.Broker.StopAsync().WaitAsync(Patience.Long);
        foreach (var address in new[] { grpc, tcp, dial })
        {
            using var late = new TcpClient();
            await Assert.ThrowsAsync<SocketException>(() => late.ConnectAsync(address).WaitAsync(Patience.Long));
        }

        await using var again = await TestBroker.StartAsync(tls, Listen);
        await Assert.ThrowsAnyAsync<IOException>(() => silent.ReadToEndAsync());

        void Listen(WhipBrokerOptions options) => (options.GrpcListen, options.TcpListen, options.DialListen) = (listen[0], listen[1], listen[2]);
    }

    [Theory, PlainAndTls]
    public async Task A_stop_lets_relays_finish_and_refuses_what_is_new(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls, options => options.DrainTimeout = Patience.Long);
        await using var agent = await broker.RegisterAsync();
        await using var idle = await broker.ConnectAsync();
        var (dialer, leg) = await broker.JoinAsync(agent);
        var dial = broker.Broker.DialEndPoint!;
        var stopping = broker.Broker.StopAsync();

        await agent.Ended.WaitAsync(Patience.Long);
        Assert.Equal(new Status(StatusCode.Unavailable, "the broker drains"), agent.End);
        await Assert.ThrowsAnyAsync<IOException>(() => idle.ReadToEndAsync());
        using var late = new TcpClient();
        await Assert.ThrowsAsync<SocketException>(() => late.ConnectAsync(dial).WaitAsync(Patience.Long));
        await using (var refused = await ScriptedAgent.OpenAsync(broker, "late.testdom"))
        {
            await refused.WriteAsync(new() { Register = new() { Hostname = "late", Domain = "testdom", Ports = { 80 } } });
            await refused.Ended.WaitAsync(Patience.Long);
            Assert.Equal(StatusCode.Unavailable, refused.End!.Value.StatusCode);
        }

        Assert.Contains("whip_broker_draining 1\n", await broker.ScrapeAsync());
        Assert.False(stopping.IsCompleted);
        await using (dialer)
        await using (leg)
        {
            await dialer.WriteAsync("still"u8.ToArray());
            await dialer.CompleteWritesAsync();
            Assert.Equal("still"u8.ToArray(), await leg.ReadToEndAsync());
            await leg.WriteAsync("here"u8.ToArray());
            await leg.CompleteWritesAsync();
            Assert.Equal("here"u8.ToArray(), await dialer.ReadToEndAsync());
        }

        await stopping.WaitAsync(Patience.Long);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task What_outlives_the_drain_is_reset(bool tls, bool cancelled)
    {
        await using var broker = await TestBroker.StartAsync(tls, options => options.DrainTimeout = cancelled ? Patience.Long : TimeSpan.FromMilliseconds(200));
        await using var agent = await broker.RegisterAsync();
        var (dialer, leg) = await broker.JoinAsync(agent);
        using var atOnce = new CancellationTokenSource();
        var stopping = broker.Broker.StopAsync(atOnce.Token);
        if (cancelled)
        {
            await agent.Ended.WaitAsync(Patience.Long);
            await atOnce.CancelAsync();
        }

        await stopping.WaitAsync(Patience.Long);
        await Assert.ThrowsAnyAsync<IOException>(() => dialer.ReadToEndAsync());
        await Assert.ThrowsAnyAsync<IOException>(() => leg.ReadToEndAsync());
        await broker.Logs.WaitForAsync("DrainCut");
        dialer.Abort();
        leg.Abort();
    }

    [Theory, PlainAndTls]
    public async Task A_stop_that_is_overtaken_by_Dispose_ends_at_once_and_whole(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls, options => options.DrainTimeout = Patience.Long);
        await using var agent = await broker.RegisterAsync();
        var (dialer, leg) = await broker.JoinAsync(agent);
        using var atOnce = new CancellationTokenSource();
        var stopping = broker.Broker.StopAsync(atOnce.Token);
        await agent.Ended.WaitAsync(Patience.Long);

        // As a second signal does it.
        var cancelling = atOnce.CancelAsync();
        await broker.Broker.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        await Task.WhenAll(cancelling, stopping).WaitAsync(Patience.Long);
        await Assert.ThrowsAnyAsync<IOException>(() => dialer.ReadToEndAsync());
        dialer.Abort();
        leg.Abort();
    }

    [Fact]
    public async Task A_stop_sends_dials_that_wait_for_an_agent_elsewhere_at_once()
    {
        await using var broker = await TestBroker.StartAsync(tls: false, options => options.DrainTimeout = TimeSpan.FromMinutes(10));
        await using var dialer = await broker.BeginDialAsync("testdom:5051", "Whip-Wait: 60\r\n");
        await Patience.UntilAsync(() => broker.Parts.Budget.Pending == 1, "the dial to wait");
        var stopping = broker.Broker.StopAsync();
        var answer = await TestBroker.ReadHeadAsync(dialer).WaitAsync(Patience.Long);
        Assert.StartsWith("HTTP/1.1 503 ", answer);
        Assert.Contains("\r\nWhip-Outcome: unavailable\r\n", answer);
        dialer.Abort();
        await stopping.WaitAsync(Patience.Long);
    }
}
