using System.Text;
using Whip.Client;
using Whip.Protocol.Connect;
using Whip.Protocol.Dialing;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Tests.Client;

public sealed class WhipDialerFailureTests
{
    public static TheoryData<DialOutcome, bool> Answers
    {
        get
        {
            var data = new TheoryData<DialOutcome, bool>();
            foreach (var outcome in Enum.GetValues<DialOutcome>().Except([DialOutcome.Connected, DialOutcome.BrokerUnreachable, DialOutcome.Redirected]))
            {
                data.Add(outcome, false);
                data.Add(outcome, true);
            }

            return data;
        }
    }

    public static TheoryData<string, DialOutcome, string> Oddities => new()
    {
        { "HTTP/1.1 404 x\r\n\r\n", DialOutcome.NoSuchHost, "answered with status 404" },
        {
            "HTTP/1.1 502 x\r\nContent-Length: 30\r\n\r\nport \u001b[31m81\u00e9 is\r closed\nsecond line",
            DialOutcome.AgentFailed, "port ?[31m81? is? closed"
        },
        { "HTTP/1.1 403 x\r\nContent-Length: 2000000000\r\n\r\n" + new string('x', 5000), DialOutcome.Denied, new string('x', 256) },
        { "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", DialOutcome.ProtocolError, "status 407" },
        { "HTTP/1.1 100 Continue\r\n\r\n", DialOutcome.ProtocolError, "status 100" },
        { "SSH-2.0-OpenSSH_9.6\r\n\r\n", DialOutcome.ProtocolError, "the status line is not HTTP/1.1" },
        { "\u0015\u0003\u0003\0\u0002", DialOutcome.ProtocolError, "TLS" },
        { "\0\u0001\u0002", DialOutcome.ProtocolError, "byte 0x00" },
        { "HTTP/1.1 200 OK\r\nX: " + new string('x', HeadReader.DefaultLimit), DialOutcome.ProtocolError, "longer than 8192 bytes" },
        { "HTTP/1.1 200 OK\r\nX:", DialOutcome.BrokerUnreachable, "ended the connection without an answer" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Each_answer_is_one_exception_with_outcome_reason_and_name(DialOutcome outcome, bool tls)
    {
        await using var front = FakeDialFront.Answering(tls, Encoding.ASCII.GetString(new ConnectResponse(outcome, "because").ToBytes()));
        var error = await Assert.ThrowsAsync<WhipDialException>(() => Dialers.To(tls, front).DialAsync("a.testdom", 81).WaitAsync(Patience.Long));
        Assert.Equal((outcome, "a.testdom:81"), (error.Outcome, error.Name));
        if (outcome != DialOutcome.ProtocolError)
        {
            Assert.Equal("because", error.Reason);
        }
    }

    [Theory]
    [MemberData(nameof(Oddities))]
    public async Task An_answer_no_broker_gives_is_an_outcome_with_a_printable_line(string answer, DialOutcome outcome, string reason)
    {
        await using var front = FakeDialFront.Answering(false, answer);
        var result = await Dialers.To(false, front).TryDialAsync(new DialRequest("a.testdom", 81)).AsTask().WaitAsync(Patience.Long);
        Assert.Equal(outcome, result.Outcome);
        Assert.Contains(reason, result.Reason);
        Assert.DoesNotContain(result.Reason, c => c is < ' ' or > '~');
    }

    [Theory, PlainAndTls]
    public async Task The_deadline_covers_an_answer_that_never_comes(bool tls)
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource();
        await using var front = FakeDialFront.Silent(tls, asked);
        var request = new DialRequest("a.testdom", 81) { Deadline = TimeSpan.FromSeconds(5), Wait = TimeSpan.FromSeconds(2) };
        var dial = Dialers.To(tls, time, front).TryDialAsync(request).AsTask();
        await asked.Task.WaitAsync(Patience.Long);
        time.Advance(TimeSpan.FromSeconds(7));
        var result = await dial.WaitAsync(Patience.Long);
        Assert.Equal((DialOutcome.DeadlineExceeded, $"no answer from {front.Authority} within 7 s"), (result.Outcome, result.Reason));
    }

    [Fact]
    public async Task A_broker_that_never_answers_the_handshake_leaves_time_for_the_next()
    {
        var time = new FakeTimeProvider();
        var accepted = new TaskCompletionSource();
        await using var silent = new FakeDialFront(false, async connection =>
        {
            accepted.SetResult();
            await connection.WaitForEndAsync();
        });
        await using var good = FakeDialFront.Good(true);
        var dial = Dialers.To(true, time, silent, good).DialAsync("a.testdom", 81);
        await accepted.Task.WaitAsync(Patience.Long);
        time.Advance(TimeSpan.FromSeconds(1));
        await using var stream = await dial.WaitAsync(Patience.Long);
    }

    public static TheoryData<string, string> RefusedBrokers => new()
    {
        { "expired", "is valid from" },
        { "other CA", "was not issued by our CA" },
        { "wrong role", "lacks the extended key usage serverAuth" },
        { "wrong name", "does not cover localhost, only elsewhere.testdom" },
    };

    [Theory]
    [MemberData(nameof(RefusedBrokers))]
    public async Task A_refused_broker_certificate_is_unreachable_with_the_verdict(string which, string why)
    {
        var certificates = TestCertificates.Shared;
        var broker = which switch
        {
            "expired" => certificates.ExpiredBrokerIdentity,
            "other CA" => certificates.OtherCaBrokerIdentity,
            "wrong role" => certificates.WrongRoleBrokerIdentity,
            _ => certificates.WrongRoleClientIdentity("elsewhere.testdom"),
        };
        var result = await DialAsync(broker, certificates.ClientIdentity("dialer.testdom"));
        Assert.Equal(DialOutcome.BrokerUnreachable, result.Outcome);
        Assert.StartsWith("no TLS handshake with localhost:", result.Reason);
        Assert.Contains(why, result.Reason);
    }

    [Fact]
    public async Task A_dialer_whose_certificate_the_broker_refuses_gets_the_reason()
    {
        var certificates = TestCertificates.Shared;
        var result = await DialAsync(certificates.BrokerIdentity, certificates.OtherCaClientIdentity("dialer.testdom"));
        Assert.Equal(DialOutcome.BrokerUnreachable, result.Outcome);
        Assert.Contains("certificate", result.Reason);
    }

    [Fact]
    public async Task Plain_and_TLS_do_not_meet_and_say_why()
    {
        var toPlain = await DialAsync(null, TestCertificates.Shared.ClientIdentity("dialer.testdom"));
        Assert.Equal(DialOutcome.BrokerUnreachable, toPlain.Outcome);
        Assert.Contains("TLS", toPlain.Reason);
        var toTls = await DialAsync(TestCertificates.Shared.BrokerIdentity, null);
        Assert.NotEqual(DialOutcome.Connected, toTls.Outcome);
        Assert.NotEmpty(toTls.Reason);
    }

    [Fact]
    public async Task Every_broker_that_could_not_be_reached_is_named()
    {
        var front = new FakeDialFront(false, _ => Task.CompletedTask);
        await front.DisposeAsync();
        var dialer = new WhipDialer(new WhipDialerOptions { Brokers = [front.Authority, "no-such-broker.invalid:8010"], Tls = { Enabled = false } });
        var result = await dialer.TryDialAsync(new DialRequest("a.testdom", 81)).AsTask().WaitAsync(Patience.Long);
        Assert.Equal(DialOutcome.BrokerUnreachable, result.Outcome);
        Assert.Contains($"no connection to {front.Authority}: ", result.Reason);
        Assert.Contains("no connection to no-such-broker.invalid:8010: ", result.Reason);
    }

    [Theory]
    [InlineData("", 80, 5, 0, "\"\" is not a DNS name")]
    [InlineData("10.0.0.1", 80, 5, 0, "\"10.0.0.1\" is not a DNS name")]
    [InlineData("a b\n", 80, 5, 0, "\"a b?\" is not a DNS name")]
    [InlineData("a.b", 0, 5, 0, "port 0 is not 1 to 65535")]
    [InlineData("a.b", 65536, 5, 0, "port 65536")]
    [InlineData("a.b", 80, 0, 0, "deadline")]
    [InlineData("a.b", 80, 5, 61, "0 to 60 seconds")]
    public async Task A_request_that_cannot_be_is_refused_before_any_connection(string host, int port, int deadline, int wait, string why)
    {
        await using var front = new FakeDialFront(false, _ => Task.CompletedTask);
        var request = new DialRequest(host, port) { Deadline = TimeSpan.FromSeconds(deadline), Wait = TimeSpan.FromSeconds(wait) };
        var result = await Dialers.To(false, front).TryDialAsync(request);
        Assert.Equal((DialOutcome.BadRequest, 0), (result.Outcome, front.Accepted));
        Assert.Contains(why, result.Reason);
    }

    [Theory]
    [InlineData(null, "Brokers \"\": not a HOST:PORT")]
    [InlineData("broker1", "Brokers \"broker1\": not a HOST:PORT; try broker1.example:8010")]
    [InlineData(":8010", "not a HOST:PORT")]
    [InlineData("broker1:0", "not a HOST:PORT")]
    public void Options_that_name_no_broker_are_refused(string? broker, string why)
    {
        var options = new WhipDialerOptions { Brokers = broker is null ? [] : [broker], Tls = { Enabled = false } };
        Assert.Contains(why, Assert.Throws<WhipOptionException>(() => new WhipDialer(options)).Message);
    }

    private static async Task<DialResult> DialAsync(TlsIdentity? broker, TlsIdentity? dialer)
    {
        await using var front = new FakeDialFront(broker, async connection =>
        {
            if (await connection.ReadHeadAsync() is ['C', ..])
            {
                await connection.WriteAsync(FakeDialConnection.Established);
            }
            else
            {
                await connection.WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n");
            }
        });
        return await Dialers.To(dialer, TimeProvider.System, front).TryDialAsync(new DialRequest("a.testdom", 81)).AsTask().WaitAsync(Patience.Long);
    }
}
