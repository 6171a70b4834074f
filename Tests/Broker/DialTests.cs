using System.Text;
using Whip.Broker.Dialing;
using Whip.Protocol.Dialing;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker;

/// <summary>A dial at the dial front, from CONNECT to the stream or to each of its other ends.</summary>
public sealed class DialTests
{
    [Theory, PlainAndTls]
    public async Task A_dial_becomes_one_stream_to_the_agent(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.BeginDialAsync("Instance1.TestDom:5051", "Host: x\r\n");

        var connect = await agent.NextConnectAsync();
        Assert.Equal((5051u, "127.0.0.1", (uint)broker.Broker.TcpEndPoint!.Port), (connect.LocalPort, connect.Host, connect.Port));
        Assert.InRange(connect.Deadline, 1u, 5000u);
        Assert.Equal(tls ? ["dialer.testdom"] : [], connect.Dialer);

        await using var leg = await agent.BringLegAsync(connect);
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
        await dialer.WriteAsync("ping"u8.ToArray());
        Assert.Equal("ping"u8.ToArray(), await leg.ReadExactlyAsync(4));
        await leg.WriteAsync("pong"u8.ToArray());
        await leg.CompleteWritesAsync();
        Assert.Equal("pong"u8.ToArray(), await dialer.ReadToEndAsync());
        await dialer.CompleteWritesAsync();
        Assert.Empty(await leg.ReadToEndAsync());
        await broker.AssertNothingLeftAsync();
    }

    [Theory, PlainAndTls]
    public async Task Early_data_of_a_dialer_reaches_the_agent_in_order(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.ConnectAsync();
        await dialer.WriteAsync("CONNECT instance1.testdom:5051 HTTP/1.1\r\n\r\nfirst"u8.ToArray());
        var connect = await agent.NextConnectAsync();
        await dialer.WriteAsync(" second"u8.ToArray());
        await using var leg = await agent.BringLegAsync(connect);
        await TestBroker.ReadHeadAsync(dialer);
        await dialer.WriteAsync(" third"u8.ToArray());
        Assert.Equal("first second third", Encoding.ASCII.GetString(await leg.ReadExactlyAsync(18)));
    }

    [Theory, PlainAndTls]
    public async Task A_service_that_speaks_first_is_heard(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.BeginDialAsync();
        var connect = await agent.NextConnectAsync();
        await using var leg = await agent.OpenLegAsync();
        await leg.WriteAsync(Encoding.ASCII.GetBytes($$"""{"connectionID":"{{connect.ConnectionID}}"}SSH-2.0-x"""));
        await TestBroker.ReadHeadAsync(dialer);
        Assert.Equal("SSH-2.0-x"u8.ToArray(), await dialer.ReadExactlyAsync(9));
    }

    [Theory]
    [InlineData("nobody.elsewhere:5051", "404", "no-such-domain")]
    [InlineData("other.testdom:5051", "404", "no-such-host")]
    [InlineData("instance1.testdom:5052", "403", "port-not-published")]
    [InlineData("testdom:5052", "403", "port-not-published")]
    [InlineData("instance1.testdom:0", "400", "bad-request")]
    [InlineData("instance1.testdom:65536", "400", "bad-request")]
    [InlineData("instance1_.-x:5051", "400", "bad-request")]
    [InlineData("[::1]:5051", "400", "bad-request")]
    [InlineData("instance1.testdom", "400", "bad-request")]
    public async Task A_dial_that_cannot_be_names_its_status_and_its_reason(string target, string status, string outcome)
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await broker.RegisterAsync();
        var answer = await broker.RefusedAsync(target);
        Assert.StartsWith($"HTTP/1.1 {status} ", answer);
        Assert.Contains($"Whip-Outcome: {outcome}\r\n", answer);
        Assert.Single(answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..].TrimEnd('\n').Split('\n'));
        await broker.AssertNothingLeftAsync();
    }

    [Theory, PlainAndTls]
    public async Task What_the_agent_says_of_its_failure_is_the_body_of_a_502(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        var refused = broker.RefusedAsync("instance1.testdom:5051");
        await agent.FailAsync(await agent.NextConnectAsync(), "local port 5051: connection refused\r\nX: \u001b[31m");
        var answer = await refused;
        Assert.StartsWith("HTTP/1.1 502 ", answer);
        Assert.EndsWith("instance1.testdom: local port 5051: connection refused??X: ?[31m\n", answer);
        await broker.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_silent_agent_costs_the_deadline_and_is_told_to_forget_the_connection()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await broker.RegisterAsync();
        var refused = broker.RefusedAsync("instance1.testdom:5051", "Whip-Deadline: 200\r\n");
        var connect = await agent.NextConnectAsync();
        Assert.StartsWith("HTTP/1.1 504 ", await refused);
        Assert.Equal(connect.ConnectionID, (await agent.NextAsync(ResponseStream.StreamOneofCase.Cancel)).Cancel.ConnectionID);

        // The leg comes all the same, too late.
        await using var late = await agent.BringLegAsync(connect);
        await Assert.ThrowsAnyAsync<IOException>(() => late.ReadToEndAsync());
        await broker.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task A_dialer_that_goes_away_cancels_at_the_agent(bool tls, bool reset)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        var dialer = await broker.BeginDialAsync(headers: "Whip-Deadline: 60000\r\n");
        var connect = await agent.NextConnectAsync();
        if (reset)
        {
            dialer.Abort();
        }
        else
        {
            await dialer.DisposeAsync();
        }

        Assert.Equal(connect.ConnectionID, (await agent.NextAsync(ResponseStream.StreamOneofCase.Cancel)).Cancel.ConnectionID);
        await broker.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_dial_waits_for_an_agent_that_registers_in_time()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var dialer = await broker.BeginDialAsync("testdom:5051", "Whip-Wait: 60\r\n");
        await Patience.UntilAsync(() => broker.Parts.Budget.Pending == 1, "the dial to wait");
        await using var agent = await broker.RegisterAsync();
        await using var leg = await agent.BringLegAsync(await agent.NextConnectAsync());
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
    }

    [Fact]
    public async Task A_wait_that_ends_in_nothing_says_so()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        var answer = await broker.RefusedAsync("a.testdom:5051", "Whip-Wait: 1\r\n");
        Assert.StartsWith("HTTP/1.1 404 ", answer);
        Assert.Contains("none registered within 1 s", answer);
    }

    [Fact]
    public async Task A_dialer_that_goes_away_no_longer_waits()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        var dialer = await broker.BeginDialAsync("testdom:5051", "Whip-Wait: 60\r\n");
        await Patience.UntilAsync(() => broker.Parts.Budget.Pending == 1, "the dial to wait");
        dialer.Abort();
        await broker.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_domain_dial_tries_the_next_instance_and_gives_up_after_three()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        var agents = new List<ScriptedAgent>();
        for (var i = 0; i < 4; i++)
        {
            agents.Add(await broker.RegisterAsync($"i{i}.testdom"));
        }

        var refused = broker.RefusedAsync("testdom:5051", "Whip-Deadline: 60000\r\n");
        var asked = agents.Select(async agent =>
        {
            await agent.FailAsync(await agent.NextConnectAsync(), "local port 5051: connection refused");
            return agent;
        }).ToList();
        Assert.StartsWith("HTTP/1.1 502 ", await refused);
        await Patience.UntilAsync(() => asked.Count(task => task.IsCompletedSuccessfully) == 3, "three agents to be asked");
        foreach (var agent in agents)
        {
            await agent.DisposeAsync();
        }

        await Assert.ThrowsAnyAsync<Exception>(() => Task.WhenAll(asked));
    }

    [Fact]
    public async Task When_the_newest_stream_of_a_name_fails_the_next_one_is_asked()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var older = await broker.RegisterAsync();
        await using var newer = await broker.RegisterAsync();
        await using var dialer = await broker.BeginDialAsync();
        await newer.FailAsync(await newer.NextConnectAsync(), "no");
        await using var leg = await older.BringLegAsync(await older.NextConnectAsync());
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
        await broker.Logs.WaitForAsync("TwoAgents");
    }

    [Fact]
    public async Task Too_many_pending_dials_are_answered_503_with_Retry_After()
    {
        await using var broker = await TestBroker.StartAsync(tls: false, options => options.Limits.PendingDialsPerAgent = 1);
        await using var agent = await broker.RegisterAsync();
        var first = await broker.BeginDialAsync();
        await agent.NextConnectAsync();
        var answer = await broker.RefusedAsync("instance1.testdom:5051");
        Assert.StartsWith("HTTP/1.1 503 ", answer);
        Assert.Contains("Retry-After: ", answer);
        first.Abort();
        await broker.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Of_many_dials_for_which_there_is_no_room_a_few_are_logged()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls: false, options => options.Limits.PendingDials = 1, time);
        var first = await broker.BeginDialAsync("later.testdom:5051", "Whip-Wait: 60\r\n");
        await Patience.UntilAsync(() => broker.Parts.Budget.Pending == 1, "a dial that waits");
        for (var i = 0; i < 100; i++)
        {
            Assert.StartsWith("HTTP/1.1 503 ", await broker.RefusedAsync("instance1.testdom:5051"));
        }

        Assert.Equal(10, broker.Logs.Records.Count(record => record.Event.Name == nameof(DialLog.DialEnded)));
        time.Advance(TimeSpan.FromMinutes(1));
        await broker.Logs.WaitForAsync(record => record.Message == "90 more dials were refused as overloaded in a minute", "the line about the others");
        first.Abort();
        await broker.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_dial_in_flight_outlives_the_detaching_of_its_agent()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.BeginDialAsync();
        var connect = await agent.NextConnectAsync();
        await agent.CompleteAsync();
        await Patience.UntilAsync(() => broker.Parts.Streams.Count == 0, "the agent to be withdrawn");
        Assert.StartsWith("HTTP/1.1 404 ", await broker.RefusedAsync("instance1.testdom:5051"));

        await using var leg = await agent.BringLegAsync(connect);
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
        await agent.Ended.WaitAsync(Patience.Long);
        await dialer.WriteAsync("x"u8.ToArray());
        Assert.Equal("x"u8.ToArray(), await leg.ReadExactlyAsync(1));
    }

    [Theory]
    [InlineData("Whip-Forwarded: 1\r\n")]
    [InlineData("Whip-Dialer: admin\r\n")]
    public async Task Only_a_broker_may_speak_for_a_dialer(string header)
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var agent = await broker.RegisterAsync();
        Assert.StartsWith("HTTP/1.1 400 ", await broker.RefusedAsync("instance1.testdom:5051", header));
    }

    [Theory, PlainAndTls]
    public async Task The_process_itself_dials_without_a_socket_between(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls, options => options.DialListen = "");
        await using var agent = await broker.RegisterAsync();
        var dialing = broker.Broker.DialAsync("testdom", 5051);
        await using var leg = await agent.BringLegAsync(await agent.NextConnectAsync());
        await using var stream = await dialing.WaitAsync(Patience.Long);
        await stream.WriteAsync("x"u8.ToArray());
        await stream.CompleteWritesAsync();
        Assert.Equal("x"u8.ToArray(), await leg.ReadToEndAsync());
        await leg.WriteAsync("y"u8.ToArray());
        await leg.CompleteWritesAsync();
        Assert.Equal("y"u8.ToArray(), await stream.ReadToEndAsync());

        var error = await Assert.ThrowsAsync<WhipDialException>(() => broker.Broker.DialAsync("nobody.elsewhere", 1));
        Assert.Equal(DialOutcome.NoSuchDomain, error.Outcome);
    }
}
