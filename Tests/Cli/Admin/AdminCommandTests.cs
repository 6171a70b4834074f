using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Whip.Tests.Broker.Admin;

namespace Whip.Tests.Cli.Admin;

/// <summary><c>whip status</c>, <c>clients</c> and <c>explain</c>, mostly at a real broker with a real agent.</summary>
public sealed class AdminCommandTests
{
    private static readonly string[] FreePorts =
    [
        "--tls=false", "--grpc-listen=127.0.0.1:0", "--tcp-listen=127.0.0.1:0", "--dial-listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0",
    ];

    [Fact]
    public async Task They_show_a_broker_its_agent_and_what_a_dial_would_come_to()
    {
        await using var broker = await WhipProcess.StartReadyAsync("whip-broker", [.. FreePorts, "--admin-listen=127.0.0.1:0", "--broker-id=b1"]);
        await using var agent = await WhipProcess.StartReadyAsync(
            "whip-agent", "--tls=false", "--hostname=instance1", "--domain=testdom", "--ports=5051,22", $"{broker.Addresses["grpc"]}");
        await agent.ErrorLineAsync("b1");
        var admin = $"{broker.Addresses["admin"]}";

        var status = await RunAsync("status", admin);
        Assert.Matches(
            @"^BROKER  STATE  CLUSTER  ENGINE    VERSION +UP +STREAMS  INSTANCES  UNHEALTHY  RELAYS  PENDING\n"
            + @"b1      ready  -        embedded  \S+ +[0-9.]+s +1        1          0          0       0\n\n",
            status);
        Assert.Matches(
            @"\nBROKER  LISTENER  BOUND TO +GIVEN TO OTHERS AS\nb1      grpc      127\.0\.0\.1:\d+ +-\n"
            + @"b1      tcp       (127\.0\.0\.1:\d+) +\1\nb1      dial .*\nb1      admin .*\n\z",
            status);
        var clients = await RunAsync("clients", admin, "--domain", "testdom");
        Assert.Matches(
            @"^NAME               BROKER  PORTS    AGENT +GENERATION +REMOTE +ZONE  SINCE +RTT +PONG +PENDING  RELAYS  UNHEALTHY\n"
                + @"instance1\.testdom  b1      5051,22  \S+ +\d+ +127\.0\.0\.1:\d+ +-     [0-9.]+s .*  0        0       -\n\z",
            clients);
        Assert.Equal("b1 holds none.\n", await RunAsync("clients", admin, "--domain", "elsewhere"));

        var found = await RunAsync("explain", admin, "instance1.testdom:22");
        Assert.Matches(@"^instance1\.testdom:22 dialled at b1: goes to stream [0-9a-f]{16} of this broker\n", found);
        Assert.EndsWith("\n\nNo dial of it has failed here recently.\n", found);
        var missing = await WhipRun.RunAsync("explain", "instance1.testdom:23", "--admin", admin);
        Assert.Equal((1, ""), (missing.ExitCode, missing.Error));
        Assert.StartsWith("instance1.testdom:23 dialled at b1: fails, because no stream of it publishes port 23\n", missing.Output);
        Assert.DoesNotMatch(@" \n", status + clients + found + missing.Output);

        var json = JsonNode.Parse(await RunAsync("explain", admin, "instance1.testdom:22", "--json"))!;
        Assert.True((bool)json["resolves"]!);
    }

    [Fact]
    public async Task They_and_a_dial_say_which_check_fails_and_since_when()
    {
        var closed = FreePort.Find(1)[0];
        await using var broker = await WhipProcess.StartReadyAsync("whip-broker", [.. FreePorts, "--admin-listen=127.0.0.1:0", "--broker-id=b1"]);
        await using var agent = await WhipProcess.StartReadyAsync(
            "whip-agent", "--tls=false", "--hostname=instance1", "--domain=testdom", $"--ports=80={closed},22", "--check=80=http:/healthz",
            $"{broker.Addresses["grpc"]}");
        Assert.Contains(
            $"the check http:/healthz of port 80 fails, and dials of it are refused: connection refused (127.0.0.1:{closed}: ",
            await agent.ErrorLineAsync("of port 80"));
        await agent.ErrorLineAsync("b1");
        var admin = $"{broker.Addresses["admin"]}";
        const string Since = @"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ";
        Assert.Matches(@"\nb1 .* 1        1          1          0       0\n", await RunAsync("status", admin));
        Assert.Matches($@"  80 {Since} \(http: connection refused\)\n\z", await RunAsync("clients", admin));
        foreach (var (name, problem) in new[]
        {
            ("instance1.testdom", $@"instance1\.testdom:80 is unhealthy: its http check has failed {Since} \(connection refused\)\n"),
            ("testdom", $@"no instance of testdom:80 is healthy: instance1\.testdom has failed its http check {Since} \(connection refused\)\n"),
        })
        {
            var explained = await WhipRun.RunAsync("explain", $"{name}:80", "--admin", admin);
            Assert.Equal(1, explained.ExitCode);
            Assert.Matches($@"^{Regex.Escape(name)}:80 dialled at b1: fails, because {problem}", explained.Output);
            var dialled = await WhipRun.RunAsync("connect", $"{name}:80", "--tls=false", "--broker", $"{broker.Addresses["dial"]}");
            Assert.Equal(1, dialled.ExitCode);
            Assert.Matches($@"^whip: dial {Regex.Escape(name)}:80: unhealthy: {problem}", dialled.Error);
        }

        Assert.Matches(@"\nb1      itself  - +unhealthy ", (await WhipRun.RunAsync("explain", "instance1.testdom:80", "--admin", admin)).Output);
        Assert.Matches(@"\nb1      itself  - +no +0, and 1 unhealthy ", (await WhipRun.RunAsync("explain", "testdom:80", "--admin", admin)).Output);
        Assert.Equal(0, (await WhipRun.RunAsync("explain", "instance1.testdom:22", "--admin", admin)).ExitCode);
    }

    [Fact]
    public async Task Several_brokers_are_one_table_and_one_that_is_away_is_a_line()
    {
        await using var first = await AdminRequests.StartAsync();
        await using var second = await AdminRequests.StartAsync(configure: options => options.BrokerId = "b2");
        await using var agent = await first.RegisterAsync("b.testdom");
        await using var other = await second.RegisterAsync("a.testdom");
        var (one, two, away) = ($"{first.Broker.AdminEndPoint}", $"{second.Broker.AdminEndPoint}", $"127.0.0.1:{FreePort.Find(1)[0]}");

        var clients = await WhipRun.RunAsync("clients", "--admin", $"{one},{two}", "--admin", away);
        Assert.Equal((1, $"whip: nobody listens at {away}; is a broker running there, with --admin-listen?\n"), (clients.ExitCode, clients.Error));
        Assert.Equal(
            ["NAME BROKER", "a.testdom b2", "b.testdom b1"],
            clients.Output.TrimEnd().Split('\n').Select(line => string.Join(' ', Regex.Split(line, " +").Take(2))));

        var json = JsonNode.Parse((await WhipRun.RunAsync("status", "--admin", one, "--admin", away, "--json")).Output)!.AsArray();
        Assert.Equal("b1", $"{json[0]!["answer"]!["brokerId"]}");
        Assert.StartsWith("nobody listens", $"{json[1]!["problem"]}");
        var none = await WhipRun.RunAsync("status", "--admin", away, "--json");
        Assert.Equal((1, ""), (none.ExitCode, none.Output));
    }

    [Fact]
    public async Task What_goes_wrong_is_a_line_that_says_what_to_try()
    {
        using var folder = new TempFolder();
        var (right, wrong) = (folder.Write("right", AdminRequests.Token), folder.Write("wrong", "x"));
        await using var broker = await AdminRequests.StartAsync(configure: options => options.AdminTokenPath = right);
        var admin = $"{broker.Broker.AdminEndPoint}";
        Assert.StartsWith("BROKER", await RunAsync("status", admin, "--admin-token-path", right));
        await FailsAsync(1, $"{admin} asks for a token; try --admin-token-path FILE", "--admin", admin);
        await FailsAsync(
            1, $"{admin} does not accept this token; try the --admin-token-path FILE that the broker was started with",
            "--admin", admin, "--admin-token-path", wrong);

        await using var process = await WhipProcess.StartReadyAsync("whip-broker", [.. FreePorts, "--admin-listen="]);
        foreach (var name in new[] { "metrics", "dial", "grpc", "tcp" })
        {
            var run = await WhipRun.RunAsync("status", "--admin", $"{process.Addresses[name]}");
            Assert.Equal(1, run.ExitCode);
            Assert.StartsWith($"whip: {process.Addresses[name]} is not a broker's admin listener; try the address after admin= in its ready line", run.Error);
        }

        await FailsAsync(2, "--admin \"nonsense\": not a HOST:PORT; try 127.0.0.1:8081", "--admin", "nonsense");
        await FailsAsync(2, "--admin \"http://127.0.0.1:1\": not a HOST:PORT; try 127.0.0.1:8081", "--admin", "http://127.0.0.1:1");
        var empty = folder.Write("empty", "");
        await FailsAsync(
            2, $"--admin-token-path \"{empty}\": holds no token of one line without blanks; try the file that the broker was started with",
            "--admin-token-path", empty);
    }

    [Fact]
    public async Task A_broker_that_would_be_open_to_everybody_does_not_start()
    {
        await using var broker = WhipProcess.Start("whip-broker", [.. FreePorts, "--admin-listen=0.0.0.0:0"]);
        Assert.Equal(2, await broker.ExitCodeAsync());
        Assert.StartsWith("whip-broker: --admin-listen \"0.0.0.0:0\": beyond the loopback interface it needs --admin-token-path", broker.Error[^1]);
    }

    [Theory]
    [InlineData("alice.dialers", 0, "lets alice.dialers there")]
    [InlineData("bob.dialers&dialer=alice.dialers", 1, "does not let bob.dialers&dialer=alice.dialers there")]
    public async Task Explain_judges_the_dialer_it_is_given(string dialer, int exitCode, string verdict)
    {
        using var folder = new TempFolder();
        var policy = folder.Write("policy.json", """[{"dialer": "alice.dialers", "name": "*", "allow": true}]""");
        await using var broker = await AdminRequests.StartAsync(configure: options => options.DialPolicyPath = policy);
        await using var agent = await broker.RegisterAsync();
        var run = await WhipRun.RunAsync("explain", "instance1.testdom:5051", "--dialer", dialer, "--admin", $"{broker.Broker.AdminEndPoint}");
        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains($"The dial policy {verdict}.\n", run.Output);
        Assert.Equal(0, (await WhipRun.RunAsync("explain", "instance1.testdom:5051", "--admin", $"{broker.Broker.AdminEndPoint}")).ExitCode);
    }

    private static async Task<string> RunAsync(string command, string admin, params string[] args)
    {
        var run = await WhipRun.RunAsync([command, .. args, "--admin", admin]);
        Assert.True(run.ExitCode == 0, run.Error + run.Output);
        return run.Output;
    }

    private static async Task FailsAsync(int exitCode, string error, params string[] args)
    {
        var run = await WhipRun.RunAsync(["status", .. args]);
        Assert.Equal((exitCode, $"whip: {error}\n", ""), (run.ExitCode, run.Error, run.Output));
    }
}
