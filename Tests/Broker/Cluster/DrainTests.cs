using System.Text;
using Grpc.Core;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker.Cluster;

public sealed class DrainTests
{
    private const string Target = "instance1.testdom:5051";

    [SkippableTheory, PlainAndTls]
    public async Task A_broker_that_drains_tells_its_agents_and_takes_dials_until_the_last_has_gone(bool tls)
    {
        await using var cluster = await TestCluster.StartAsync(tls, configure: options => options.DrainTimeout = Patience.Long);
        await using var agent = await cluster[0].RegisterAsync();
        var stopping = cluster[0].Broker.StopAsync();
        await agent.NextAsync(ResponseStream.StreamOneofCase.Drain);

        await Patience.UntilAsync(() =>
            cluster[1].Parts.Cluster!.Members.Members.Any(member => member is { Id: "b1", IsDraining: true }), "the news of the drain");
        var (dialer, leg) = await cluster[0].JoinAsync(agent);
        await agent.CompleteAsync();
        leg.Abort();
        await dialer.DisposeAsync();
        await stopping.WaitAsync(Patience.Long);
        await Patience.UntilAsync(() => cluster[1].Parts.Cluster!.Members.Members is [{ Id: "b2" }], "the end of its membership");
        await cluster.StopAsync(cluster[0]);
    }

    [SkippableFact]
    public async Task An_original_agent_is_ended_with_Unavailable_and_its_leg_runs_on()
    {
        await using var cluster = await TestCluster.StartAsync(tls: false, configure: options => options.DrainTimeout = Patience.Long);
        await using var agent = await ScriptedAgent.RegisterAsync(cluster[0], "instance1.testdom", [5051], register => register.AgentId = "");
        var (dialer, leg) = await cluster[0].JoinAsync(agent);
        var stopping = cluster[0].Broker.StopAsync();
        await agent.Ended.WaitAsync(Patience.Long);
        Assert.Equal(StatusCode.Unavailable, agent.End!.Value.StatusCode);

        await leg.WriteAsync("still here"u8.ToArray());
        Assert.Equal("still here", Encoding.ASCII.GetString(await dialer.ReadExactlyAsync(10)));
        await leg.DisposeAsync();
        await dialer.DisposeAsync();
        await stopping.WaitAsync(Patience.Long);
        await cluster.StopAsync(cluster[0]);
    }

    [SkippableFact]
    public async Task A_new_agent_is_refused_while_dials_go_on_through_it()
    {
        await using var cluster = await TestCluster.StartAsync(tls: false, configure: options => options.DrainTimeout = Patience.Long);
        await using var agent = await cluster[1].RegisterAsync();
        await using var here = await cluster[0].RegisterAsync("instance2.testdom");
        var stopping = cluster[0].Broker.StopAsync();
        await here.NextAsync(ResponseStream.StreamOneofCase.Drain);

        await using var late = await ScriptedAgent.OpenAsync(cluster[0], "instance3.testdom");
        await late.WriteAsync(new RequestStream { Register = new Register { Hostname = "instance3", Domain = "testdom", Ports = { 5051 } } });
        await late.Ended.WaitAsync(Patience.Long);
        Assert.Equal(StatusCode.Unavailable, late.End!.Value.StatusCode);

        await using var dialer = await cluster[0].ConnectAsync();
        await dialer.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {Target} HTTP/1.1\r\n\r\n"));
        var leg = await agent.BringLegAsync(await agent.NextConnectAsync());
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
        leg.Abort();
        await here.CompleteAsync();
        await stopping.WaitAsync(Patience.Long);
        await cluster.StopAsync(cluster[0]);
    }
}
