using System.Net.Security;
using System.Text;
using Whip.Client;
using Whip.Protocol.Dialing;
using Whip.Protocol.Tls;
using Whip.Tests.Cli.Connect;

namespace Whip.Tests.Client;

/// <summary>The dialer and <c>whip connect</c> against a broker and an agent that are not scripted.</summary>
public sealed class RealBrokerTests
{
    [Theory, PlainAndTls]
    public async Task An_https_service_behind_an_agent_answers_an_HttpClient(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var service = await RealService.StartAsync(broker, tls, async connection =>
        {
            await using var secured = new SslStream(connection.Stream);
            await secured.AuthenticateAsServerAsync(TestCertificates.Shared.BrokerIdentity.Certificate);
            using var reader = new StreamReader(secured);
            while (await reader.ReadLineAsync() is { Length: > 0 })
            {
            }

            await secured.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"u8.ToArray());
        });
        var handler = WhipHttp.CreateHandler(Dialer(broker));
        handler.SslOptions.RemoteCertificateValidationCallback = (_, leaf, _, _) => TestCertificates.Shared.BrokerIdentity.Certificate.Equals(leaf);
        using var client = new HttpClient(handler);
        foreach (var host in (string[])["web.testdom", "testdom"])
        {
            Assert.Equal("hello", await client.GetStringAsync($"https://{host}:{service.Port}/").WaitAsync(Patience.Long));
        }

        client.Dispose();
        await broker.AssertNothingLeftAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_dial_that_takes_its_time_stays_with_the_broker_that_reports_on_it(bool tls)
    {
        var brokerTime = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var dialerTime = new CountedTimers();
        await using var broker = await TestBroker.StartAsync(tls, time: brokerTime);
        await using var agent = await broker.RegisterAsync();
        await using var other = new FakeDialFront(tls, _ => Task.CompletedTask);
        var options = new WhipDialerOptions { Brokers = [$"{broker.Broker.DialEndPoint}", other.Authority] };
        var dialing = new WhipDialer(options, broker.Client("dialer.testdom"), dialerTime, first: 0).DialAsync("instance1.testdom", 5051);
        var connect = await agent.NextConnectAsync();
        for (var reports = 1; reports <= 4; reports++)
        {
            // Set anew when the broker was reached, and by each report.
            brokerTime.Advance(TimeSpan.FromSeconds(0.5));
            await Patience.UntilAsync(() => dialerTime.RestartsOf(DialAttempt.SilenceTimeout) == reports + 1, "a report");
            dialerTime.Advance(TimeSpan.FromSeconds(0.9));
        }

        await using var leg = await agent.BringLegAsync(connect);
        await using (await dialing.WaitAsync(Patience.Long))
        {
            Assert.Equal(0, other.Accepted);
        }
    }

    [Theory, PlainAndTls]
    public async Task Whip_connect_reaches_a_service_that_answers_after_the_end_of_input(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var service = await RealService.StartAsync(broker, tls, connection => connection.EchoAsync());
        using var whip = new ConnectProcess(tls, $"127.0.0.1:1,{broker.Broker.DialEndPoint}", $"web.testdom:{service.Port}");
        await whip.Input.WriteAsync("question"u8.ToArray());
        whip.Input.Close();
        Assert.Equal("question", Encoding.ASCII.GetString(await whip.Output.ReadToEndAsync()));
        Assert.Equal((0, ""), await whip.WaitForExitAsync());
        await broker.AssertNothingLeftAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_cancelled_dial_is_cancelled_at_the_agent_and_leaves_nothing(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        using var cancel = new CancellationTokenSource();
        var request = new DialRequest("instance1.testdom", 5051) { Deadline = 2 * Patience.Long };
        var dial = Dialer(broker).TryDialAsync(request, cancel.Token).AsTask();
        var connect = await agent.NextConnectAsync();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial.WaitAsync(Patience.Long));
        var cancelled = await agent.NextAsync(Whip.Protocol.Messages.ResponseStream.StreamOneofCase.Cancel);
        Assert.Equal(connect.ConnectionID, cancelled.Cancel.ConnectionID);
        await broker.AssertNothingLeftAsync();
    }

    [Theory, PlainAndTls]
    public async Task The_deadline_is_the_brokers_answer_which_knows_what_it_waited_for(bool tls)
    {
        // One clock for both: a moment before the dialer's deadline is after the one that it told the broker, however slow the machine is.
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls, time: time);
        await using var agent = await broker.RegisterAsync();
        var request = new DialRequest("instance1.testdom", 5051) { Deadline = TimeSpan.FromSeconds(2) };
        var options = new WhipDialerOptions { Brokers = [$"{broker.Broker.DialEndPoint}"] };
        var dial = new WhipDialer(options, broker.Client("dialer.testdom"), time, first: 0).TryDialAsync(request).AsTask();
        await agent.NextConnectAsync();
        time.Advance(request.Deadline - TimeSpan.FromMilliseconds(1));
        var result = await dial.WaitAsync(Patience.Long);
        Assert.Equal(DialOutcome.DeadlineExceeded, result.Outcome);
        Assert.Contains("instance1.testdom", result.Reason);
        Assert.DoesNotContain("no answer from", result.Reason);
    }

    [Theory]
    [InlineData("instance1.testdom", 81, DialOutcome.PortNotPublished)]
    [InlineData("instance2.testdom", 5051, DialOutcome.NoSuchHost)]
    [InlineData("instance1.elsewhere", 5051, DialOutcome.NoSuchDomain)]
    [InlineData("instance1.testdom", 5051, DialOutcome.AgentFailed)]
    public async Task Each_refusal_arrives_with_its_outcome_and_reason(string host, int port, DialOutcome outcome)
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var agent = await broker.RegisterAsync();
        var dial = Dialer(broker).TryDialAsync(new DialRequest(host, port)).AsTask();
        if (outcome == DialOutcome.AgentFailed)
        {
            await agent.FailAsync(await agent.NextConnectAsync(), "local port closed");
        }

        var result = await dial.WaitAsync(Patience.Long);
        Assert.Equal(outcome, result.Outcome);
        Assert.Contains(outcome == DialOutcome.AgentFailed ? "local port closed" : host, result.Reason);
    }

    [Fact]
    public async Task A_dialer_the_broker_refuses_gets_the_reason()
    {
        var certificates = TestCertificates.Shared;
        await using var plain = await TestBroker.StartAsync(tls: false);
        await using var tls = await TestBroker.StartAsync(tls: true);
        const string Refused = "it may have refused the certificate (dialer.testdom) as expired, of another CA, or denied; its log says which";
        await ExpectAsync(tls, certificates.OtherCaClientIdentity("dialer.testdom"), DialOutcome.BrokerUnreachable, Refused);
        await ExpectAsync(tls, certificates.WrongRoleClientIdentity("dialer.testdom"), DialOutcome.BrokerUnreachable, Refused);
        await ExpectAsync(
            tls, certificates.ExpiredClientIdentity("dialer.testdom"), DialOutcome.BrokerUnreachable,
            "the certificate that it saw (dialer.testdom) expired on ");
        await ExpectAsync(tls, null, DialOutcome.BadRequest, "this port speaks TLS");
        await ExpectAsync(plain, certificates.ClientIdentity("dialer.testdom"), DialOutcome.BrokerUnreachable, "no TLS handshake with");
    }

    private static async Task ExpectAsync(TestBroker broker, TlsIdentity? identity, DialOutcome outcome, string reason)
    {
        var result = await Dialer(broker, identity).TryDialAsync(new DialRequest("a.testdom", 80)).AsTask().WaitAsync(Patience.Long);
        Assert.Equal(outcome, result.Outcome);
        Assert.Contains(reason, result.Reason);
        await broker.AssertNothingLeftAsync();
    }

    private static WhipDialer Dialer(TestBroker broker) => Dialer(broker, broker.Client("dialer.testdom"));

    private static WhipDialer Dialer(TestBroker broker, TlsIdentity? identity) =>
        new(new WhipDialerOptions { Brokers = [$"{broker.Broker.DialEndPoint}"] }, identity, TimeProvider.System, first: 0);
}
