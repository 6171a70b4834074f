using System.Net;
using System.Text.Json.Nodes;
using Whip.Protocol.Messages;

namespace Whip.Tests.Broker.Admin;

/// <summary>What the pages say.</summary>
public sealed class AdminPagesTests
{
    [Theory]
    [InlineData("POST", "/api/status", HttpStatusCode.MethodNotAllowed)]
    [InlineData("PUT", "/api/clients", HttpStatusCode.MethodNotAllowed)]
    [InlineData("DELETE", "/api/explain?name=a.b&port=1", HttpStatusCode.MethodNotAllowed)]
    [InlineData("OPTIONS", "/api/status", HttpStatusCode.MethodNotAllowed)]
    [InlineData("HEAD", "/api/status", HttpStatusCode.OK)]
    [InlineData("GET", "/", HttpStatusCode.NotFound)]
    [InlineData("GET", "/api/status/", HttpStatusCode.NotFound)]
    [InlineData("GET", "/api/clients?limit=0", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/api/clients?limit=-1", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/api/clients?limit=99999999999", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/api/clients?limit=1&limit=2", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/api/clients?domain=", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/api/clients?domain=%1b[31m%0d%0aSet-Cookie:+a", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/api/clients?domain=%00", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/api/explain", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/api/explain?name=a.b", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/api/explain?name=a.b&port=0", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/api/explain?name=a.b&port=65536", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/api/explain?name=a%2e.b%0a&port=1", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/api/explain?name=%22%3e%3cscript%3e&port=1", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/api/explain?name=%ff%fe&port=1", HttpStatusCode.BadRequest)]
    public async Task Anything_else_than_a_page_that_is_read_is_one_printable_line(string method, string path, HttpStatusCode expected)
    {
        await using var broker = await AdminRequests.StartAsync();
        var (status, text) = await broker.AskAsync(path, new HttpMethod(method));
        Assert.Equal(expected, status);
        Assert.Matches(method == "HEAD" ? "^\\z" : "^[ -~]+\n\\z", text);
    }

    [Theory, PlainAndTls]
    public async Task Status_counts_what_the_broker_has(bool tls)
    {
        await using var broker = await AdminRequests.StartAsync(tls);
        await using var first = await broker.RegisterAsync();
        await using var second = await broker.RegisterAsync();
        await using var other = await broker.RegisterAsync("instance2.testdom");
        var (dialer, leg) = await broker.JoinAsync(other, "instance2.testdom:5051");

        var status = await broker.ReadAsync("/api/status");
        Assert.Equal(("b1", "ready", "embedded"), ($"{status["brokerId"]}", $"{status["state"]}", $"{status["engine"]}"));
        Assert.Equal((3, 2, 1, 0), ((int)status["streams"]!, (int)status["instances"]!, (int)status["relays"]!, (int)status["pendingDials"]!));
        Assert.Equal(["grpc", "tcp", "dial", "admin"], status["listeners"]!.AsArray().Select(listener => $"{listener!["name"]}"));
        Assert.Null(status["isMemberListCurrent"]);
        Assert.Empty(status["members"]!.AsArray());
        await dialer.DisposeAsync();
        await leg.DisposeAsync();
    }

    [Fact]
    public async Task Clients_are_the_streams_by_name_of_one_domain_if_asked_and_no_more_than_the_limit()
    {
        await using var broker = await AdminRequests.StartAsync();
        await using var second = await broker.RegisterAsync("b.testdom", 5051, 22);
        await using var first = await broker.RegisterAsync("a.testdom");
        await using var other = await broker.RegisterAsync("a.elsewhere");
        var (dialer, leg) = await broker.JoinAsync(second, "b.testdom:22");

        var all = await broker.ReadAsync("/api/clients");
        Assert.Equal(["a.elsewhere", "a.testdom", "b.testdom"], Names(all));
        var domain = await broker.ReadAsync("/api/clients?domain=TestDom.&limit=1");
        Assert.Equal(["a.testdom"], Names(domain));
        Assert.Equal(2, (int)domain["total"]!);

        var client = all["clients"]![2]!;
        Assert.Equal([5051, 22], client["ports"]!.AsArray().Select(port => (int)port!));
        Assert.Equal((1, 1, 0), ((int)client["generation"]!, (int)client["relays"]!, (int)client["pendingDials"]!));
        Assert.Equal(32, $"{client["agentId"]}".Length);
        Assert.StartsWith("127.0.0.1:", $"{client["remote"]}");
        Assert.Null(client["roundTripMs"]);
        Assert.Null(client["pongAgeSeconds"]);
        await dialer.DisposeAsync();
        await leg.DisposeAsync();
    }

    [Fact]
    public async Task A_stream_that_answers_pings_has_a_round_trip()
    {
        await using var broker = await AdminRequests.StartAsync(configure: options => options.Limits.PingInterval = TimeSpan.FromMilliseconds(1));
        await using var agent = await broker.RegisterAsync();
        await agent.NextAsync(ResponseStream.StreamOneofCase.Ping);
        var stream = broker.Parts.Streams.All.Single();
        await Patience.UntilAsync(() => stream.Pings.Read().RoundTrip is not null, "the pong");

        var client = (await broker.ReadAsync("/api/clients"))["clients"]![0]!;
        Assert.InRange((double)client["roundTripMs"]!, 0, 30_000);
        Assert.InRange((double)client["pongAgeSeconds"]!, 0, 30);
    }

    private static IEnumerable<string> Names(JsonNode list) => list["clients"]!.AsArray().Select(client => $"{client!["name"]}");
}
