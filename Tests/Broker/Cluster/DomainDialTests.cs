using Whip.Protocol.Names;
using Whip.Registry;

namespace Whip.Tests.Broker.Cluster;

/// <summary>How dials of a domain spread over the whole cluster.</summary>
public sealed class DomainDialTests
{
    private const int Dials = 6_000;

    [SkippableFact]
    public async Task Every_instance_of_the_cluster_has_the_same_chance()
    {
        await using var cluster = await TestCluster.StartAsync(tls: false, brokers: 3);
        Announce(cluster[0], "a1");
        Announce(cluster[1], "b1", "b2");
        Announce(cluster[2], "c1", "c2", "c3");

        var counts = await DrawAsync(cluster, zone: "");

        // Expected 1,000 each with a standard deviation of 29: seven of them are out of reach of chance.
        Assert.Equal(6, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 800, 1200));
    }

    [SkippableFact]
    public async Task The_own_zone_is_preferred_as_long_as_it_has_instances()
    {
        await using var cluster = await TestCluster.StartAsync(tls: false, brokers: 2);
        Announce(cluster[0], "here-west");
        Announce(cluster[1], "there-west", "there-east", "also-there-east");
        var counts = await DrawAsync(cluster, zone: "east");
        Assert.Equal(["also-there-east", "there-east"], counts.Keys.Order());
        Assert.All(counts.Values, count => Assert.InRange(count, 2600, 3400));

        Assert.Equal(4, (await DrawAsync(cluster, zone: "nowhere")).Count);
    }

    [SkippableFact]
    public async Task Least_connections_leaves_the_loaded_instances_alone()
    {
        await using var cluster = await TestCluster.StartAsync(tls: false, brokers: 2, options => options.Balance = BalancePolicy.LeastConnections);
        var busy = Announce(cluster[0], "busy", "idle");
        Announce(cluster[1], "elsewhere", "elsewhere2");
        for (var i = 0; i < 100; i++)
        {
            cluster[0].Parts.Routes.Loads.Started(busy[0].Name);
        }

        var counts = await DrawAsync(cluster, zone: "");

        // Drawn first and again at its broker, which is drawn in both of two draws: 1/4, and there 1/4.
        Assert.InRange(counts["busy"], 1, Dials / 8);
        Assert.True(counts["elsewhere"] > counts["idle"]);
        for (var i = 0; i < 100; i++)
        {
            cluster[0].Parts.Routes.Loads.Ended(busy[0].Name);
        }
    }

    [SkippableFact]
    public async Task A_domain_whose_instances_are_elsewhere_alone_is_dialled_there()
    {
        await using var cluster = await TestCluster.StartAsync(tls: true);
        await using var agent = await cluster[1].RegisterAsync();
        var (dialer, leg) = (cluster[0].ConnectAsync(), agent);
        await using var stream = await dialer;
        await stream.WriteAsync("CONNECT testdom:5051 HTTP/1.1\r\n\r\n"u8.ToArray());
        await using var brought = await leg.BringLegAsync(await leg.NextConnectAsync());
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(stream));
    }

    // Straight into the tables: what is tested is the choice, not the streams.
    private static List<StreamRoute> Announce(TestBroker broker, params string[] hostnames)
    {
        var routes = hostnames.Select(hostname =>
        {
            Assert.True(Whip.Protocol.Names.InstanceName.TryCreate(hostname, "d", out var name));
            var zone = hostname.Split('-')[^1];
            return new StreamRoute { StreamId = hostname, BrokerId = broker.Parts.Identity.BrokerId, Name = name, Ports = [80], Zone = zone };
        }).ToList();
        routes.ForEach(route => broker.Parts.Routes.Attach(route));
        return routes;
    }

    private static async Task<Dictionary<string, int>> DrawAsync(TestCluster cluster, string zone)
    {
        var counts = new Dictionary<string, int>();
        var request = new ResolveRequest(DialTarget.Of("d", 80), []) { Zone = zone };
        for (var i = 0; i < Dials; i++)
        {
            var resolution = await cluster[0].Parts.Cluster!.Registry.ResolveAsync(request, default);
            if (resolution.Holder is { } holder)
            {
                var there = cluster.Brokers.Single(broker => broker.Parts.Identity.BrokerId == holder);
                resolution = await there.Parts.Cluster!.Registry.ResolveAsync(request with { Scope = ResolveScope.OwnOnly }, default);
            }

            var name = resolution.Route!.Name.Hostname;
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }

        return counts;
    }
}
