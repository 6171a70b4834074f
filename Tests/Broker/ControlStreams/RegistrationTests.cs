using Grpc.Core;
using Whip.Protocol;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker.ControlStreams;

/// <summary>What a broker answers to a Register that cannot be: a status, a log line that says why, and nothing kept.</summary>
public sealed class RegistrationTests
{
    private const string Hostile = "evil\u001b[31m\r\nHTTP/1.1 200 OK\u0000\u202e";

    public static TheoryData<string, string, uint[], string> Bad => new()
    {
        { "", "testdom", [80], "\".testdom\" is not a hostname and a domain of DNS labels" },
        { "a", "", [80], "\"a.\" is not a hostname and a domain of DNS labels" },
        { "a.b", "testdom", [80], "\"a.b.testdom\" is not a hostname and a domain of DNS labels" },
        { "*", "testdom", [80], "\"*.testdom\" is not a hostname and a domain of DNS labels" },
        { "-a", "testdom", [80], "\"-a.testdom\" is not a hostname and a domain of DNS labels" },
        { "a", "test..dom", [80], "\"a.test..dom\" is not a hostname and a domain of DNS labels" },
        { "ä", "testdom", [80], "\"?.testdom\" is not a hostname and a domain of DNS labels" },
        { new string('a', 64), "testdom", [80], "a.testdom\" is not a hostname and a domain of DNS labels" },
        { "a", new string('b', 60_000), [80], "is not a hostname and a domain of DNS labels" },
        { Hostile, "testdom", [80], "\"evil?[31m??HTTP/1.1 200 OK??.testdom\" is not a hostname and a domain of DNS labels" },
        { "a", Hostile, [80], "\"a.evil?[31m??HTTP/1.1 200 OK??\" is not a hostname and a domain of DNS labels" },
        { "a", "testdom", [], "a.testdom must publish 1 to 64 ports from 1 to 65535" },
        { "a", "testdom", [0], "a.testdom must publish 1 to 64 ports from 1 to 65535" },
        { "a", "testdom", [80, 65536], "a.testdom must publish 1 to 64 ports from 1 to 65535" },
        { "a", "testdom", [.. Enumerable.Range(1, 65).Select(port => (uint)port)], "a.testdom must publish 1 to 64 ports from 1 to 65535" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_registration_that_cannot_be_is_InvalidArgument_with_the_reason(string hostname, string domain, uint[] ports, string reason)
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await ScriptedAgent.OpenAsync(broker, "a.testdom");
        await agent.WriteAsync(new RequestStream { Register = new Register { Hostname = hostname, Domain = domain, Ports = { ports } } });
        await AssertRefusedAsync(broker, agent, StatusCode.InvalidArgument, reason);
    }

    [Fact]
    public async Task Sixty_four_ports_are_registered()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await broker.RegisterAsync("a.testdom", [.. Enumerable.Range(1, 64)]);
        var refused = broker.RefusedAsync("a.testdom:64");
        await agent.FailAsync(await agent.NextConnectAsync(), "no");
        Assert.StartsWith("HTTP/1.1 502 ", await refused);
    }

    [Fact]
    public async Task A_certificate_of_another_name_is_PermissionDenied()
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var agent = await ScriptedAgent.OpenAsync(broker, "other.testdom");
        await agent.WriteAsync(new RequestStream { Register = new Register { Hostname = "a", Domain = "testdom", Ports = { 80 } } });
        await AssertRefusedAsync(broker, agent, StatusCode.PermissionDenied, "the certificate (other.testdom) does not cover a.testdom");
    }

    [Fact]
    public async Task A_wildcard_certificate_registers_any_host_of_its_domain()
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var agent = await ScriptedAgent.OpenAsync(broker, "*.testdom");
        await agent.WriteAsync(new RequestStream { Register = new Register { Hostname = "a", Domain = "testdom", Ports = { 80 }, AgentId = "1" } });
        await agent.NextAsync(ResponseStream.StreamOneofCase.Registered);
    }

    [Fact]
    public async Task A_stream_registers_once()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await broker.RegisterAsync();
        await agent.WriteAsync(new RequestStream { Register = new Register { Hostname = "b", Domain = "testdom", Ports = { 80 } } });
        await agent.Ended.WaitAsync(Patience.Long);
        Assert.Equal(new Status(StatusCode.InvalidArgument, "a stream registers once"), agent.End);
        Assert.StartsWith("HTTP/1.1 404 ", await broker.RefusedAsync("b.testdom:80"));
        Assert.StartsWith("HTTP/1.1 404 ", await broker.RefusedAsync("instance1.testdom:5051"));
    }

    [Fact]
    public async Task The_first_message_must_be_Register()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await ScriptedAgent.OpenAsync(broker, "a.testdom");
        await agent.WriteAsync(new RequestStream { Pong = new Pong { Sequence = 1 } });
        await AssertRefusedAsync(broker, agent, StatusCode.InvalidArgument, "the first message must be Register");
    }

    [Theory, PlainAndTls]
    public async Task No_Register_within_5_seconds_ends_the_stream(bool tls)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls, time: time);
        await using var agent = await ScriptedAgent.OpenAsync(broker, "a.testdom");
        await Patience.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(0.25));
                return agent.Ended.IsCompleted;
            },
            "the end of the stream");
        Assert.Equal(new Status(StatusCode.DeadlineExceeded, "no Register within 5 s"), agent.End);
        Assert.EndsWith("no Register within 5 s", (await broker.Logs.WaitForAsync("RegistrationRefused")).Message);
    }

    [Fact]
    public async Task Refused_registrations_are_counted_in_the_log_when_there_are_many()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls: false, time: time);
        for (var i = 0; i < LogRation.Named + 3; i++)
        {
            await using var agent = await ScriptedAgent.OpenAsync(broker, "a.testdom");
            await agent.WriteAsync(new RequestStream { Register = new Register() });
            await agent.Ended.WaitAsync(Patience.Long);
        }

        Assert.Equal(LogRation.Named, broker.Logs.Records.Count(record => record.Event.Name == "RegistrationRefused"));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("refused 3 more registrations in a minute", (await broker.Logs.WaitForAsync("MoreRegistrationsRefused")).Message);
    }

    [Fact]
    public async Task A_message_above_64_KiB_ends_the_stream()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await ScriptedAgent.OpenAsync(broker, "a.testdom");
        var register = new Register { Hostname = "a", Domain = "testdom", Ports = { 80 }, Zone = new string('z', 65536) };
        await agent.WriteAsync(new RequestStream { Register = register });
        await agent.Ended.WaitAsync(Patience.Long);
        Assert.Equal(StatusCode.ResourceExhausted, agent.End!.Value.StatusCode);
        await broker.Logs.WaitForAsync("RegistrationRefused");
    }

    [Theory, PlainAndTls]
    public async Task A_duplicate_registration_is_warned_of_once_and_names_both_peers(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var older = await broker.RegisterAsync();
        await using var newer = await broker.RegisterAsync();
        var warning = (await broker.Logs.WaitForAsync("TwoAgents")).Message;
        Assert.All(broker.Parts.Streams.All, stream => Assert.Contains(stream.Remote.ToString(), warning));
        Assert.Equal(2, broker.Parts.Streams.Count);
        Assert.Contains("whip_server_active_registrations{domain=\"testdom\"} 1\n", await broker.ScrapeAsync());
        Assert.Single(broker.Logs.Records, record => record.Event.Name == "TwoAgents");
    }

    [Fact]
    public async Task Hostile_text_of_an_agent_reaches_no_log_no_header_and_no_metric()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await ScriptedAgent.RegisterAsync(broker, "a.testdom", [80], register =>
        {
            register.AgentId = register.Zone = register.Version = Hostile;
            register.Capabilities.Add(Hostile);
        });
        var refused = broker.RefusedAsync("a.testdom:80");
        await agent.FailAsync(await agent.NextConnectAsync(), Hostile + new string('x', 10_000));
        var answer = await refused;
        Assert.StartsWith("HTTP/1.1 502 ", answer);
        Assert.DoesNotContain(answer.ReplaceLineEndings(""), char.IsControl);
        Assert.InRange(answer.Length, 1, 600);
        Assert.StartsWith("HTTP/1.1 404 ", await broker.RefusedAsync("nobody.testdom:80"));
        await agent.DisposeAsync();
        await broker.Logs.WaitForAsync("Detached");
        Assert.All(broker.Logs.Records, record => AssertPrintable(record.Message));
        Assert.All((await broker.ScrapeAsync()).Split('\n'), AssertPrintable);
    }

    private static async Task AssertRefusedAsync(TestBroker broker, ScriptedAgent agent, StatusCode code, string reason)
    {
        await agent.Ended.WaitAsync(Patience.Long);
        Assert.Equal(code, agent.End!.Value.StatusCode);
        Assert.EndsWith(reason, agent.End.Value.Detail);
        var line = await broker.Logs.WaitForAsync("RegistrationRefused");
        Assert.EndsWith(reason, line.Message);
        AssertPrintable(line.Message);
        Assert.Equal(0, broker.Parts.Streams.Count);
        Assert.Single(broker.Logs.Records, record => record.Message.Contains("refused", StringComparison.Ordinal));
    }

    private static void AssertPrintable(string text) => Assert.DoesNotContain(text, c => c is < ' ' or > '~');
}
