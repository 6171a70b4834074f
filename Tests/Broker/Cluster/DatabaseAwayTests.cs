namespace Whip.Tests.Broker.Cluster;

/// <summary>PostgreSQL holds the brokers, not the streams: without it dials go on.</summary>
public sealed class DatabaseAwayTests
{
    [SkippableTheory]
    [InlineData("stop")]
    [InlineData("kill")]
    public async Task Dials_go_on_to_agents_registered_before_and_meanwhile(string how)
    {
        await using var server = await PostgresServer.PrivateAsync();
        await using var cluster = await TestCluster.StartAsync(server, tls: true, brokers: 3);
        await using var before = await cluster[1].RegisterAsync("before.testdom");
        await (how == "stop" ? server.StopAsync() : server.KillAsync());
        await using var meanwhile = await cluster[2].RegisterAsync("meanwhile.testdom");
        foreach (var ingress in cluster.Brokers)
        {
            await DialAsync(ingress, before);
            await DialAsync(ingress, meanwhile);
        }

        await server.StartAsync();
        Assert.All(cluster.Brokers, broker => Assert.True(broker.Parts.IsReady));
        await cluster.AddAsync("b4");
        await cluster.KnownAsync();
    }

    [SkippableFact]
    public async Task An_emptied_schema_is_made_anew_and_the_member_list_is_whole_again()
    {
        await using var server = await PostgresServer.PrivateAsync();
        await using var cluster = await TestCluster.StartAsync(server, tls: false, brokers: 2);
        await using var agent = await cluster[1].RegisterAsync("before.testdom");
        await PostgresServer.ExecuteAsync(cluster.Database, "DROP SCHEMA whip_orleans CASCADE");
        await DialAsync(cluster[0], agent);
        await cluster.AddAsync("b3");
        await cluster.KnownAsync();
        await DialAsync(cluster[2], agent);
        Assert.Equal(3L, await PostgresServer.ScalarAsync(cluster.Database, "SELECT count(*) FROM whip_orleans.silo"));
    }

    private static async Task DialAsync(TestBroker ingress, ScriptedAgent agent)
    {
        var (dialer, leg) = await ingress.JoinAsync(agent, $"{agent.Name}:5051");
        await dialer.DisposeAsync();
        await leg.DisposeAsync();
    }
}
