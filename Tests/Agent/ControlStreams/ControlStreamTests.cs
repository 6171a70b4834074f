using Grpc.Core;
using Whip.Protocol.Messages;
using Whip.Protocol.Options;

namespace Whip.Tests.Agent.ControlStreams;

public sealed class ControlStreamTests : AgentTest
{
    [Fact]
    public async Task A_broker_that_answers_no_ping_is_left_and_tried_again()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var broker = await StartBrokerAsync();
        await StartAgentAsync([$"127.0.0.1:{broker.Grpc.Port}"], time: time);
        await broker.RegisterAsync();
        await Logs.WaitForAsync("Attached");
        var next = broker.RegisterAsync();
        await time.AdvanceUntilAsync(() => next.IsCompleted, "a second stream");
        Assert.Contains("no sign of life for 12 s", (await Logs.WaitForAsync("Lost")).Message);
    }

    [Fact]
    public async Task A_broker_that_answers_pings_keeps_its_stream()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var broker = await StartBrokerAsync();
        await StartAgentAsync([$"127.0.0.1:{broker.Grpc.Port}"], time: time);
        var stream = await broker.RegisterAsync();
        await Logs.WaitForAsync("Attached");
        for (var sequence = 1ul; sequence <= 10; sequence++)
        {
            var ping = stream.NextPingAsync();
            await time.AdvanceUntilAsync(() => ping.IsCompleted, "a ping", atMost: TimeSpan.FromSeconds(6));
            Assert.Equal(sequence, (await ping).Sequence);
            await stream.SendAsync(new ResponseStream { Pong = new Pong { Sequence = sequence } });
            await stream.SendAsync(new ResponseStream { Ping = new Ping { Sequence = sequence } });
            Assert.Equal(sequence, (await stream.NextAsync())!.Pong.Sequence);
        }

        Assert.DoesNotContain(Logs.Records, r => r.Event.Name == "Lost");
    }

    [Fact]
    public async Task Messages_of_a_later_version_are_skipped()
    {
        var (_, _, stream) = await RegisterAsync();
        await stream.SendAsync(new ResponseStream());
        await stream.SendAsync(new ResponseStream { Members = new Members { Members_ = { new Member { Grpc = "10.0.0.1:1" } } } });
        await stream.SendAsync(new ResponseStream { Ping = new Ping { Sequence = 3 } });
        Assert.Equal(3ul, (await stream.NextAsync())!.Pong.Sequence);
    }

    [Theory]
    [InlineData(StatusCode.InvalidArgument, "--hostname")]
    [InlineData(StatusCode.PermissionDenied, "--tls-cert-path")]
    [InlineData(StatusCode.Unimplemented, "gRPC port")]
    public async Task A_refusal_is_logged_once_with_what_to_do_and_tried_again(object code, string advice)
    {
        var broker = await StartBrokerAsync();
        await StartAgentAsync(broker);
        for (var i = 0; i < 3; i++)
        {
            (await broker.NextStreamAsync()).End(new Status((StatusCode)code, "no \u001b[31m"));
        }

        await broker.RegisterAsync();
        var said = Assert.Single(Logs.Records, r => r.Event.Name == "Lost").Message;
        Assert.Contains($"{code}: no ?[31m; ", said);
        Assert.Contains(advice, said);
    }

    [Theory]
    [InlineData("expired")]
    [InlineData("other CA")]
    [InlineData("wrong role")]
    [InlineData("wrong host")]
    public async Task A_broker_whose_certificate_is_refused_gets_no_registration(string problem)
    {
        var certificates = TestCertificates.Shared;
        var broker = await StartBrokerAsync(identity: problem switch
        {
            "expired" => certificates.ExpiredBrokerIdentity,
            "other CA" => certificates.OtherCaBrokerIdentity,
            "wrong role" => certificates.WrongRoleBrokerIdentity,
            _ => certificates.BrokerIdentity,
        });
        var host = problem == "wrong host" ? "brokers.example" : "127.0.0.1";
        await StartAgentAsync([$"{host}:{broker.Grpc.Port}"], tls: true, resolve: LoopbackAsync);
        var said = (await Logs.WaitForAsync("Lost")).Message;
        Assert.Contains("Unauthenticated", said);
        Assert.Contains("--tls-ca-cert-path", said);
        Assert.False(broker.HasCall());
    }

    [Fact]
    public async Task A_broker_that_refuses_our_certificate_is_named_with_where_to_look()
    {
        var certificates = TestCertificates.Shared;
        using var folder = new TempFolder();
        var identity = certificates.OtherCaClientIdentity("a.testdom");
        var broker = await StartBrokerAsync(tls: true);
        await StartAgentAsync(broker, change: o => o.Tls = certificates.WriteFiles(folder.FullName, "agent", identity));
        var said = (await Logs.WaitForAsync("Lost")).Message;
        Assert.Contains(
            "Unavailable: the broker ended the connection before it answered; "
                + "it may have refused the certificate (a.testdom) as expired, of another CA, or denied",
            said);
        Assert.False(broker.HasCall());
    }

    [Fact]
    public async Task A_certificate_that_does_not_cover_the_agents_name_is_told_at_start()
    {
        using var folder = new TempFolder();
        var broker = await StartBrokerAsync(tls: true);
        var error = await Assert.ThrowsAsync<WhipOptionException>(
            () => StartAgentAsync(broker, change: o => o.Tls = TestCertificates.Shared.WriteClientFiles(folder.FullName, "b.testdom")));
        Assert.Contains("covers b.testdom, but not a.testdom, so that no broker would register it; try whip pki createandsign client", error.Message);
    }

    [Fact]
    public async Task An_agent_with_a_brokers_certificate_is_warned_of()
    {
        using var folder = new TempFolder();
        var identity = TestCertificates.Shared.Identity(Certificates.BrokerLeaf() with { DnsNames = ["a.testdom"] });
        await StartAgentAsync(await StartBrokerAsync(tls: true), change: o => o.Tls = TestCertificates.Shared.WriteFiles(folder.FullName, "agent", identity));
        Assert.Contains("has serverAuth, as a broker's", (await Logs.WaitForAsync("BrokersCertificate")).Message);
    }
}
