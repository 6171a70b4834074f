using System.Net.Sockets;
using Grpc.Core;
using Whip.Protocol.Legs;

namespace Whip.Tests.Agent;

public sealed class StopTests : AgentTest
{
    [Theory, PlainAndTls]
    public async Task A_stop_detaches_and_lets_relays_finish(bool tls)
    {
        var (broker, agent, stream) = await RegisterAsync(tls);
        var (leg, service) = await RelayAsync(broker, stream);
        var stopping = agent.StopAsync();
        await stream.DetachedAsync();
        stream.End(Status.DefaultSuccess);
        await Patience.UntilAsync(() => agent.HomeCount == 0, "the end of the stream");
        Assert.False(stopping.IsCompleted);
        await leg.WriteAsync("last words"u8.ToArray());
        Assert.Equal("last words"u8.ToArray(), await service.ReadExactlyAsync(10));
        await leg.CompleteWritesAsync();
        service.Socket.Shutdown(SocketShutdown.Send);
        await stopping.WaitAsync(Patience.Long);
        Assert.Empty(await leg.ReadToEndAsync());
        Assert.DoesNotContain(Logs.Records, r => r.Event.Name == "RelaysCut");
    }

    [Fact]
    public async Task Relays_that_outstay_the_drain_timeout_are_reset()
    {
        var (broker, agent, stream) = await RegisterAsync(change: o => o.DrainTimeout = TimeSpan.FromMilliseconds(100));
        var (leg, service) = await RelayAsync(broker, stream);
        stream.End(Status.DefaultSuccess);
        await agent.StopAsync().WaitAsync(Patience.Long);
        await Assert.ThrowsAnyAsync<IOException>(() => leg.ReadToEndAsync());
        await Assert.ThrowsAnyAsync<IOException>(() => service.ReadToEndAsync());
        await Logs.WaitForAsync("RelaysCut");
    }

    [Fact]
    public async Task A_connect_that_crosses_the_detach_is_served()
    {
        var (broker, agent, stream) = await RegisterAsync();
        var stopping = agent.StopAsync();
        await stream.DetachedAsync();
        var (leg, service) = await RelayAsync(broker, stream);
        stream.End(Status.DefaultSuccess);
        await leg.CompleteWritesAsync();
        service.Socket.Shutdown(SocketShutdown.Send);
        await stopping.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task A_broker_that_ignores_the_detach_does_not_hold_the_stop_up()
    {
        var broker = await StartBrokerAsync();
        var agent = await StartAgentAsync(broker);
        await broker.RegisterAsync();
        await agent.StopAsync().WaitAsync(Patience.Long);
        await agent.StopAsync().WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task A_stop_without_a_broker_is_immediate()
    {
        var agent = await StartAgentAsync(["127.0.0.1:1"]);
        await agent.StopAsync().WaitAsync(Patience.Long);
    }

    private async Task<(Leg Leg, NetworkStream Service)> RelayAsync(ScriptedBroker broker, ScriptedStream stream)
    {
        await stream.ConnectAsync("id-1", ServicePort);
        return (Closing(await broker.AcceptLegAsync("id-1")), Closing(await AcceptServiceAsync()));
    }
}
