using Grpc.Core;
using Whip.Agent;
using Whip.Agent.Legs;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Tests.Agent.Legs;

/// <summary>An agent whose dials are served in its own process.</summary>
public sealed class AcceptorTests : AgentTest
{
    private readonly Acceptor _acceptor = new();

    [Theory, PlainAndTls]
    public async Task A_dial_is_served_in_the_process_and_its_leg_used_again(bool tls)
    {
        var (broker, agent, stream) = await StartAsync(tls);
        await stream.ConnectAsync("id-1", ServicePort, connect =>
        {
            connect.Keep = true;
            connect.Dialer.Add("alice.dialers");
        });
        await using var leg = await broker.AcceptLegAsync("id-1");
        await EchoAsync(leg);
        await leg.WriteAsync(Frames.Open(new Connect { ConnectionID = "id-2", LocalPort = (uint)ServicePort, Dialer = { "bob.dialers" } }));
        Assert.Equal(Frames.Opened, await leg.ReadExactlyAsync(4));
        await EchoAsync(leg);
        Assert.Equal(["alice.dialers", "bob.dialers"], _acceptor.Opened.SelectMany(connect => connect.Dialer));
        Assert.False(HasPendingService());
        await UntilIdleAsync(agent);
    }

    [Fact]
    public async Task A_dial_is_checked_before_it_is_offered_and_one_that_is_not_taken_fails()
    {
        var (_, _, stream) = await StartAsync(change: options => options.AllowDialers = ["alice.*"]);
        await stream.ConnectAsync("id-1", ServicePort);
        Assert.Equal("dialer: not allowed", await stream.FailureAsync("id-1"));
        await stream.ConnectAsync("id-2", 1, connect => connect.Dialer.Add("alice.dialers"));
        Assert.Equal("local port 1: not published", await stream.FailureAsync("id-2"));
        Assert.Empty(_acceptor.Opened);
        _acceptor.HasStopped = true;
        await stream.ConnectAsync("id-3", ServicePort, connect => connect.Dialer.Add("alice.dialers"));
        Assert.Equal($"local port {ServicePort}: not served any more", await stream.FailureAsync("id-3"));
    }

    [Fact]
    public async Task A_detached_agent_has_opened_what_it_was_asked_for_and_lets_it_run_on()
    {
        var (broker, agent, stream) = await StartAsync();
        var detaching = agent.DetachAsync();
        await stream.DetachedAsync();
        await stream.ConnectAsync("id-1", ServicePort, connect => connect.Keep = true);
        stream.End(Status.DefaultSuccess);
        await using var leg = await broker.AcceptLegAsync("id-1");
        await detaching.WaitAsync(Patience.Long);
        Assert.Equal((0, 0), (agent.HomeCount, agent.PendingConnects));
        await EchoAsync(leg);
    }

    private async Task<(ScriptedBroker Broker, WhipAgent Agent, ScriptedStream Stream)> StartAsync(
        bool tls = false, Action<WhipAgentOptions>? change = null)
    {
        var broker = await StartBrokerAsync(tls);
        var agent = await StartAgentAsync([$"127.0.0.1:{broker.Grpc.Port}"], tls, change, acceptor: _acceptor);
        return (broker, agent, await broker.RegisterAsync());
    }

    private static async Task EchoAsync(Leg leg)
    {
        await leg.WriteAsync(Frames.Data(7));
        Assert.Equal(Frames.Data(7), await leg.ReadExactlyAsync(5));
        await leg.WriteAsync(Frames.End);
        Assert.Equal((byte[])[.. Frames.End, .. Frames.Done], await leg.ReadExactlyAsync(8));
    }

    private sealed class Acceptor : IDialAcceptor
    {
        public bool HasStopped { private get; set; }

        public List<Connect> Opened { get; } = [];

        public ILocalSide? TryOpen(Connect connect)
        {
            if (HasStopped)
            {
                return null;
            }

            Opened.Add(connect);
            return new EchoSide();
        }
    }

    private sealed class EchoSide : ILocalSide
    {
        public async Task<RelayResult> RelayAsync(WhipStream broker, RelayContext relays, CancellationToken cut)
        {
            await using var pair = await LegPair.ConnectAsync(tls: false);
            var echoing = EchoAsync(pair.Far);
            var result = await Relay.RunAsync(broker, pair.Near, relays, cut);
            await echoing;
            return result;
        }

        public void Abort()
        {
        }

        private static async Task EchoAsync(Leg far)
        {
            await far.CopyToAsync(far);
            await far.CompleteWritesAsync();
        }
    }
}
