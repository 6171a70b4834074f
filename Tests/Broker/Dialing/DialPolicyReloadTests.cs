using Whip.Broker;
using Whip.Protocol.Options;

namespace Whip.Tests.Broker.Dialing;

/// <summary>The policy at the dial front, and the file of it as it changes under a running broker.</summary>
public sealed class DialPolicyReloadTests : IDisposable
{
    private const string AllowGuests = """[{"dialer": "guest.*", "name": "*.testdom", "ports": [5051], "allow": true}]""";
    private const string AllowAll = """[{"dialer": "*", "name": "*", "allow": true}]""";

    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    private string File => _folder.PathOf("policy.json");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_dialer_reaches_what_the_policy_lets_it()
    {
        await using var broker = await StartAsync(tls: true, AllowGuests);
        await using var agent = await broker.RegisterAsync("instance1.testdom", 5051, 5052);
        await AssertAllowedAsync(broker, agent, "guest.lab");
        await AssertDeniedAsync(broker, "stranger.lab", "instance1.testdom:5051");
        await AssertDeniedAsync(broker, "guest.lab", "instance1.testdom:5052");
        await AssertDeniedAsync(broker, "guest.lab", "testdom:5051");

        // Who may not dial a name does not learn whether it is there.
        await AssertDeniedAsync(broker, "guest.lab", "nobody.elsewhere:5051");
    }

    [Theory]
    [InlineData(AllowGuests, false)]
    [InlineData(AllowAll, true)]
    public async Task A_plain_dialer_matches_only_rules_for_everyone(string policy, bool allowed)
    {
        await using var broker = await StartAsync(tls: false, policy);
        await using var agent = await broker.RegisterAsync();
        await (allowed ? AssertAllowedAsync(broker, agent, "") : AssertDeniedAsync(broker, "", "instance1.testdom:5051"));
    }

    [Fact]
    public async Task The_embedding_program_dials_by_the_brokers_own_names()
    {
        await using var broker = await StartAsync(tls: true, """[{"dialer": "localhost", "name": "*", "allow": true}]""");
        await using var agent = await broker.RegisterAsync();
        var dialing = broker.Broker.TryDialAsync(new("instance1.testdom", 5051)).AsTask();
        var leg = await agent.BringLegAsync(await agent.NextConnectAsync());
        (await dialing.WaitAsync(Patience.Long)).Stream!.Abort();
        leg.Abort();
        await AssertDeniedAsync(broker, "guest.lab", "instance1.testdom:5051");
    }

    [Theory]
    [InlineData("[")]
    [InlineData("[null]")]
    [InlineData("")]
    [InlineData("missing")]
    [InlineData("folder")]
    public async Task A_bad_file_is_refused_once_the_old_policy_stays_and_a_good_one_is_taken(string bad)
    {
        await using var broker = await StartAsync(tls: true, AllowGuests);
        await using var agent = await broker.RegisterAsync();
        switch (bad)
        {
            case "missing":
                System.IO.File.Delete(File);
                break;
            case "folder":
                System.IO.File.Delete(File);
                Directory.CreateDirectory(File);
                break;
            default:
                System.IO.File.WriteAllText(File, bad);
                break;
        }

        await UntilLoggedAsync(broker, "PolicyRefused");
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1);
        }

        await AssertAllowedAsync(broker, agent, "guest.lab");
        await AssertDeniedAsync(broker, "stranger.lab", "instance1.testdom:5051");
        Assert.Single(broker.Logs.Records, record => record.Event.Name == "PolicyRefused");

        if (bad == "folder")
        {
            Directory.Delete(File);
        }

        System.IO.File.WriteAllText(File, AllowAll);
        await UntilLoggedAsync(broker, "PolicyLoaded", times: 2);
        await AssertAllowedAsync(broker, agent, "stranger.lab");
    }

    [Fact]
    public async Task A_file_that_comes_back_as_it_was_is_in_force_and_says_so()
    {
        await using var broker = await StartAsync(tls: true, AllowGuests);
        System.IO.File.WriteAllText(File, "[");
        await UntilLoggedAsync(broker, "PolicyRefused");
        System.IO.File.WriteAllText(File, AllowGuests);
        await UntilLoggedAsync(broker, "PolicyLoaded", times: 2);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("[{}]")]
    public async Task A_broker_does_not_start_without_the_policy_it_was_given(string? text)
    {
        if (text is not null)
        {
            System.IO.File.WriteAllText(File, text);
        }

        var error = await Assert.ThrowsAsync<WhipOptionException>(() => TestBroker.StartAsync(tls: false, options => options.DialPolicyPath = File));
        Assert.Contains($"DialPolicyPath \"{File}\": ", error.Message);
    }

    [Fact]
    public async Task Without_a_policy_everyone_may_dial_and_the_log_says_so()
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await broker.Logs.WaitForAsync("NoPolicy");
    }

    private Task<TestBroker> StartAsync(bool tls, string policy)
    {
        System.IO.File.WriteAllText(File, policy);
        return TestBroker.StartAsync(tls, Configure, _time);

        void Configure(WhipBrokerOptions options)
        {
            options.DialPolicyPath = File;

            // These tests let time run ahead of any agent's pongs.
            options.Limits.PongTimeout = TimeSpan.FromDays(1);
        }
    }

    private Task UntilLoggedAsync(TestBroker broker, string eventName, int times = 1) => Patience.UntilAsync(
        () =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return broker.Logs.Records.Count(record => record.Event.Name == eventName) == times;
        },
        eventName);

    private static async Task AssertAllowedAsync(TestBroker broker, ScriptedAgent agent, string dialer)
    {
        var refused = broker.RefusedAsync("instance1.testdom:5051", client: dialer);
        await agent.FailAsync(await agent.NextConnectAsync(), "asked");
        Assert.StartsWith("HTTP/1.1 502 ", await refused);
    }

    private static async Task AssertDeniedAsync(TestBroker broker, string dialer, string target)
    {
        var answer = await broker.RefusedAsync(target, client: dialer);
        Assert.StartsWith("HTTP/1.1 403 ", answer);
        Assert.Contains("Whip-Outcome: denied\r\n", answer);
        Assert.Contains($"the dial policy does not let this dialer reach {target}", answer);
    }
}
