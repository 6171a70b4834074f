using Grpc.Core;
using Microsoft.Extensions.Logging;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker.ControlStreams;

/// <summary>How long a registration lives, and what outlives what.</summary>
public sealed class StreamLifeTests
{
    [Theory, PlainAndTls]
    public async Task The_end_of_an_old_stream_deletes_the_new_registration(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var older = await broker.RegisterAsync();
        await using var newer = await broker.RegisterAsync();
        await older.DisposeAsync();
        await Patience.UntilAsync(() => broker.Parts.Streams.Count == 1, "the end of the old stream");
        var (dialer, leg) = await broker.JoinAsync(newer);
        dialer.Abort();
        leg.Abort();
    }

    [Theory, PlainAndTls]
    public async Task A_newer_stream_of_the_same_agent_ends_the_older_one_at_once(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var older = await RegisterAsync(broker, "agent-1", 1);
        await using var newer = await RegisterAsync(broker, "agent-1", 2);
        await older.Ended.WaitAsync(Patience.Long);
        Assert.Equal(StatusCode.Aborted, older.End!.Value.StatusCode);
        Assert.DoesNotContain(broker.Logs.Records, record => record.Event.Name == "TwoAgents");
        var (dialer, leg) = await broker.JoinAsync(newer);
        dialer.Abort();
        leg.Abort();
    }

    [Fact]
    public async Task A_stream_without_an_agent_id_fences_nothing()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var older = await RegisterAsync(broker, "agent-1", 1);
        await using var original = await RegisterAsync(broker, "", 0);
        await using var other = await RegisterAsync(broker, "agent-2", 9);
        Assert.Equal(3, broker.Parts.Streams.Count);
        Assert.Null(older.End);
    }

    [Theory, PlainAndTls]
    public async Task Half_open_agents_stay_registered(bool tls)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls, time: time);
        await using var agent = await broker.RegisterAsync();
        agent.AnswersPings = false;
        await time.AdvanceUntilAsync(() => agent.Ended.IsCompleted, "the end of the silent agent");
        Assert.Equal(new Status(StatusCode.Unavailable, "no pong for 12 s"), agent.End);
        await Patience.UntilAsync(() => broker.Parts.Streams.Count == 0, "its removal");
        Assert.EndsWith("no pong for 12 s", (await broker.Logs.WaitForAsync("Detached")).Message.TrimEnd(')', ' '));
        Assert.StartsWith("HTTP/1.1 404 ", await broker.RefusedAsync("instance1.testdom:5051"));
        Assert.Contains("whip_server_active_registrations{domain=\"testdom\"} 0\n", await broker.ScrapeAsync());
    }

    [Fact]
    public async Task An_agent_that_answers_pings_stays()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls: false, time: time);
        await using var agent = await broker.RegisterAsync();
        for (var sequence = 1ul; sequence <= 10; sequence++)
        {
            var ping = agent.NextAsync(ResponseStream.StreamOneofCase.Ping);
            await time.AdvanceUntilAsync(() => ping.IsCompleted, "a ping", atMost: TimeSpan.FromSeconds(6));
            Assert.Equal(sequence, (await ping).Ping.Sequence);
            await Patience.UntilAsync(() => broker.Parts.Streams.All.Single().Pings.Silence == TimeSpan.Zero, "the pong");
        }

        Assert.Null(agent.End);
        Assert.Contains("whip_server_client_round_trip_latency_count{domain=\"testdom\"} 10\n", await broker.ScrapeAsync());
    }

    [Fact]
    public async Task An_agent_that_pings_is_answered_with_its_own_sequence()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await broker.RegisterAsync();
        await agent.WriteAsync(new RequestStream { Ping = new Ping { Sequence = 7 } });
        Assert.Equal(7ul, (await agent.NextAsync(ResponseStream.StreamOneofCase.Pong)).Pong.Sequence);
    }

    [Fact]
    public async Task Only_the_agent_that_was_asked_can_fail_a_dial()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await broker.RegisterAsync();
        await using var other = await broker.RegisterAsync("other.testdom");
        await using var dialer = await broker.BeginDialAsync();
        var connect = await agent.NextConnectAsync();
        await other.FailAsync(connect, "not mine to say");
        await other.WriteAsync(new RequestStream { Ping = new Ping { Sequence = 1 } });
        await other.NextAsync(ResponseStream.StreamOneofCase.Pong);
        await using var leg = await agent.BringLegAsync(connect);
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
    }

    [Fact]
    public async Task An_agent_that_does_not_keep_up_costs_only_its_own_stream()
    {
        await using var broker = await TestBroker.StartAsync(tls: false, options => options.Limits.PendingDialsPerAgent = 4);
        await using var agent = await broker.RegisterAsync();
        var stream = broker.Parts.Streams.All.Single();

        // Faster than any agent reads.
        while (stream.TrySend(new ResponseStream { Cancel = new Cancel { ConnectionID = "x" } }))
        {
        }

        await agent.Ended.WaitAsync(Patience.Long);
        await Patience.UntilAsync(() => broker.Parts.Streams.Count == 0, "its removal");
        Assert.Contains("does not read", (await broker.Logs.WaitForAsync("Detached")).Message);
    }

    /// <summary>Whatever it is: nothing of the stream is left, the next agent is served, and one error tells of it.</summary>
    [Theory]
    [InlineData("registers")]
    [InlineData("leaves")]
    public async Task A_bug_in_the_broker_as_an_agent_comes_or_goes_ends_its_stream_with_Internal(string when)
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        broker.Logs.Expect("Failed");
        var isBroken = when == "registers";
        broker.Parts.Routes.Changed += _ =>
        {
            if (isBroken)
            {
                isBroken = false;
                throw new InvalidOperationException("a bug");
            }
        };
        await using var agent = await ScriptedAgent.OpenAsync(broker, "instance1.testdom");
        await agent.WriteAsync(new RequestStream { Register = new Register { Hostname = "instance1", Domain = "testdom", Ports = { 5051 } } });
        if (when == "leaves")
        {
            await broker.Logs.WaitForAsync("Registered");
            isBroken = true;
            await agent.CompleteAsync();
        }

        await agent.Ended.WaitAsync(Patience.Long);
        Assert.Equal(new Status(StatusCode.Internal, "the broker failed"), agent.End);
        Assert.Contains("Internal the broker failed", (await broker.Logs.WaitForAsync("Detached")).Message);
        Assert.Equal("a bug", Assert.Single(broker.Logs.Records, record => record.Level >= LogLevel.Error).Exception?.Message);
        Assert.Equal((0, 0), (broker.Parts.Streams.Count, broker.Parts.Routes.Count));
        Assert.Contains("whip_broker_streams 0\n", await broker.ScrapeAsync());
        await using var next = await broker.RegisterAsync();
        var (dialer, leg) = await broker.JoinAsync(next);
        dialer.Abort();
        leg.Abort();
    }

    /// <summary>Its window is full: the broker lets go at once, and what it wrote comes before the status once the agent reads.</summary>
    [Theory, PlainAndTls]
    public async Task An_agent_that_does_not_read_holds_up_nothing_and_learns_why_it_was_ended(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls, options => options.Limits.PendingDialsPerAgent = 4);
        using var call = await ControlCall.OpenAsync(broker.Broker.GrpcEndPoint!, broker.Client("a.testdom"));
        await call.WriteAsync(new RequestStream { Register = new Register { Hostname = "a", Domain = "testdom", Ports = { 80 } } });
        await Patience.UntilAsync(() => broker.Parts.Streams.Count == 1, "the registration");
        var stream = broker.Parts.Streams.All.Single();
        var message = new ResponseStream { Cancel = new Cancel { ConnectionID = new string('x', 60_000) } };
        while (stream.TrySend(message))
        {
            await Task.Yield();
        }

        await broker.Logs.WaitForAsync("Detached");
        Assert.Equal(0, broker.Parts.Streams.Count);
        Assert.Equal(message, await call.ReadAsync());
        Assert.Equal(new Status(StatusCode.ResourceExhausted, "the agent does not read its control stream"), await call.EndAsync());
    }

    private static Task<ScriptedAgent> RegisterAsync(TestBroker broker, string agentId, ulong generation) =>
        ScriptedAgent.RegisterAsync(broker, "instance1.testdom", [5051], register => (register.AgentId, register.Generation) = (agentId, generation));
}
