using System.Net;
using System.Text.Json.Nodes;

namespace Whip.Tests.Broker.Admin;

/// <summary>The Orleans Dashboard on the admin listener of a broker that is a silo, and nowhere else.</summary>
public sealed class DashboardTests
{
    [SkippableFact]
    public async Task The_dashboard_shows_the_silos_of_the_cluster()
    {
        await using var cluster = await TestCluster.StartAsync(tls: true, configure: options => options.AdminListen = "127.0.0.1:0");
        await Patience.UntilAsync(() => cluster.Brokers.All(broker => broker.Parts.Cluster!.Members.Silos.Count == 2), "two silos at both");
        var (status, page) = await cluster[0].AskAsync("/dashboard/");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("<title>Orleans Dashboard</title>", page);

        await Patience.UntilAsync(
            async () => (await cluster[0].AskAsync("/dashboard/DashboardCounters")) is (HttpStatusCode.OK, var text)
                && JsonNode.Parse(text)!["hosts"]!.AsArray().Select(host => $"{host!["siloName"]}").Order().SequenceEqual(["b1", "b2"]),
            "both silos on the dashboard");
        Assert.Equal(["b1", "b2"], (await cluster[0].ReadAsync("/api/status"))["silos"]!.AsArray().Select(name => $"{name}"));
    }

    [SkippableFact]
    public async Task The_dashboard_is_behind_the_same_checks_as_the_API()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.PathOf("token"), AdminRequests.Token);
        await using var cluster = await TestCluster.StartAsync(tls: false, brokers: 1, options =>
            (options.AdminListen, options.AdminTokenPath) = ("127.0.0.1:0", folder.PathOf("token")));
        Assert.Equal(HttpStatusCode.Unauthorized, (await cluster[0].AskAsync("/dashboard/")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await cluster[0].AskAsync("/dashboard/ClusterStats")).Status);
        var bearer = ("Authorization", $"Bearer {AdminRequests.Token}");
        Assert.Equal(HttpStatusCode.OK, (await cluster[0].AskAsync("/dashboard/", null, bearer)).Status);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await cluster[0].AskAsync("/dashboard/", null, bearer, ("Host", "evil.example"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await cluster[0].AskAsync("/dashboard/", null, bearer, ("Origin", "http://evil.example"))).Status);
        Assert.NotEqual(HttpStatusCode.OK, (await cluster[0].AskAsync("/dashboard/", HttpMethod.Post, bearer)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await cluster[0].AskAsync("/dashboard/Trace", null, bearer)).Status);
    }

    [Fact]
    public async Task A_broker_of_another_engine_has_none()
    {
        await using var broker = await AdminRequests.StartAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await broker.AskAsync("/dashboard/")).Status);
    }
}
