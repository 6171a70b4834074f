using System.Net;
using System.Net.Sockets;
using Whip.Hosting.Listening;

namespace Whip.Tests.Agent.Homes;

/// <summary>How many control streams the agents of one process open at a time.</summary>
public sealed class OpeningsTests : AgentTest
{
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task An_agent_waits_for_its_turn_and_a_silent_broker_does_not_keep_it_waiting()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var openings = new HandshakeSlots(1, Turn, time);
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await StartAgentAsync([$"{silent.LocalEndpoint}"], tls: true, openings: openings);
        using var first = await silent.AcceptTcpClientAsync().WaitAsync(Patience.Long);

        await StartAgentAsync([$"{silent.LocalEndpoint}"], tls: true, openings: openings);
        var second = silent.AcceptTcpClientAsync();
        await Task.WhenAny(second, Task.Delay(TimeSpan.FromMilliseconds(500)));
        Assert.False(second.IsCompleted);

        time.Advance(Turn);
        (await second.WaitAsync(Patience.Long)).Dispose();
    }

    [Fact]
    public async Task An_agent_that_waits_for_its_turn_can_stop()
    {
        var openings = new HandshakeSlots(1, Turn, new FakeTimeProvider(DateTimeOffset.UtcNow));
        var held = new TaskCompletionSource();
        var holding = openings.BeginAsync(() => held.Task, default);
        var broker = await StartBrokerAsync();
        var agent = await StartAgentAsync([$"127.0.0.1:{broker.Grpc.Port}"], openings: openings);
        await agent.StopAsync().WaitAsync(Patience.Long);
        Assert.False(broker.HasCall());
        held.SetResult();
        await holding;
    }
}
