using System.Text.Json.Nodes;

namespace Whip.Tests.Broker.Admin;

/// <summary>What a dial would come to, and why the last ones failed.</summary>
public sealed class ExplainTests
{
    [Theory]
    [InlineData("instance1.testdom", 5051, "found")]
    [InlineData("INSTANCE1.testdom.", 5051, "found")]
    [InlineData("testdom", 5051, "found")]
    [InlineData("instance1.testdom", 1, "port-not-published")]
    [InlineData("instance2.testdom", 5051, "no-such-host")]
    [InlineData("instance1.elsewhere", 5051, "no-such-domain")]
    public async Task It_says_what_a_dial_would_find(string name, int port, string status)
    {
        await using var broker = await AdminRequests.StartAsync();
        await using var agent = await broker.RegisterAsync();
        var answer = await broker.ReadAsync($"/api/explain?name={name}&port={port}");
        var found = status == "found";
        Assert.Equal((status, found, found ? "b1" : null), ($"{answer["status"]}", (bool)answer["resolves"]!, (string?)answer["holder"]));
        Assert.Equal(found ? broker.Parts.Streams.All.Single().Route.StreamId : null, (string?)answer["streamId"]);
        Assert.Equal(name is "instance2.testdom" or "instance1.elsewhere" ? 0 : 1, answer["streams"]!.AsArray().Count);
        Assert.Equal("b1", $"{answer["brokers"]!.AsArray().Single()!["brokerId"]}");
    }

    [Fact]
    public async Task The_last_failed_dials_of_the_name_are_told_with_their_reasons_newest_first()
    {
        await using var broker = await AdminRequests.StartAsync();
        await using var agent = await broker.RegisterAsync();
        var dialling = broker.RefusedAsync("instance1.testdom:5051");
        await agent.FailAsync(await agent.NextConnectAsync(), "connection \u001b[31mrefused");
        await dialling.WaitAsync(Patience.Long);
        await broker.RefusedAsync("INSTANCE1.testdom:1");
        await broker.RefusedAsync("instance2.testdom:5051");

        var failures = (await broker.ReadAsync("/api/explain?name=instance1.testdom&port=5051"))["failures"]!.AsArray();
        Assert.Equal(["port-not-published 1", "agent-failed 5051"], failures.Select(failure => $"{failure!["outcome"]} {failure["port"]}"));
        Assert.Equal("instance1.testdom: connection ?[31mrefused", $"{failures[1]!["reason"]}");
        Assert.StartsWith("127.0.0.1:", $"{failures[1]!["origin"]}");
    }

    [Fact]
    public async Task The_dial_policy_is_asked_for_the_dialer_that_is_named()
    {
        using var folder = new TempFolder();
        var policy = folder.Write("policy.json", """[{"dialer": "alice.*", "name": "*", "allow": true}]""");
        await using var broker = await AdminRequests.StartAsync(configure: options => options.DialPolicyPath = policy);
        Assert.False(Allowed(await broker.ReadAsync("/api/explain?name=a.b&port=1")));
        Assert.True(Allowed(await broker.ReadAsync("/api/explain?name=a.b&port=1&dialer=bob.dialers&dialer=alice.dialers")));
        Assert.False(Allowed(await broker.ReadAsync("/api/explain?name=a.b&port=1&dialer=bob.dialers")));
    }

    [SkippableFact]
    public async Task Every_broker_of_the_cluster_is_asked()
    {
        await using var cluster = await TestCluster.StartAsync(tls: false, configure: options => options.AdminListen = "127.0.0.1:0");
        await using var agent = await cluster[1].RegisterAsync();

        var here = await cluster[1].ReadAsync("/api/explain?name=instance1.testdom&port=5051");
        Assert.Equal("b2", $"{here["holder"]}");
        var answer = await cluster[0].ReadAsync("/api/explain?name=instance1.testdom&port=5051");
        Assert.Equal(("found", "b2", null), ($"{answer["status"]}", $"{answer["holder"]}", (string?)answer["streamId"]));
        Assert.Null(answer["remembered"]);
        Assert.Equal(["b1 False", "b2 True"], answer["brokers"]!.AsArray().Select(broker => $"{broker!["brokerId"]} {(bool)broker["publishes"]!}"));
        var again = await cluster[0].ReadAsync("/api/explain?name=instance1.testdom&port=5051");
        Assert.Equal(["b2"], again["remembered"]!["brokers"]!.AsArray().Select(broker => $"{broker}"));

        var status = await cluster[0].ReadAsync("/api/status");
        Assert.True((bool)status["isMemberListCurrent"]!);
        Assert.Equal(["b1 True False", "b2 False True"], status["members"]!.AsArray()
            .Select(member => $"{member!["id"]} {(bool)member["isSelf"]!} {(bool)member["isLinked"]!}"));
    }

    private static bool Allowed(JsonNode answer) => (bool)answer["policy"]!["isAllowed"]!;
}
