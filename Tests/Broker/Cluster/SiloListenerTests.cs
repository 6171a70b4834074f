using System.Net;
using System.Net.Sockets;
using Whip.Hosting.Programs;
using Whip.Protocol.Legs;

namespace Whip.Tests.Broker.Cluster;

/// <summary>Strangers at the port where silos meet.</summary>
public sealed class SiloListenerTests
{
    private const int Limit = 10;
    private const int Beyond = 20;

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Silent_connections_end_for_newer_ones_and_by_themselves_while_silos_go_on(bool tls)
    {
        await using var cluster = await TestCluster.StartAsync(tls, brokers: 2, options =>
        {
            options.Limits.UnauthenticatedConnections = Limit;
            options.Limits.HandshakeTimeout = TimeSpan.FromSeconds(3);
        });
        var silo = (IPEndPoint)((IWhipProgram)cluster[0].Broker).BoundAddresses.Single(address => address.Name == "silo").EndPoint;
        var silent = new List<Socket>();
        for (var i = 0; i < Limit + Beyond; i++)
        {
            silent.Add(new Socket(SocketType.Stream, ProtocolType.Tcp));
            await silent[i].ConnectAsync(silo);
        }

        await Patience.UntilAsync(() => silent.Take(Beyond).All(HasEnded), "the end of the oldest");
        Assert.DoesNotContain(silent.Skip(Beyond + 1), HasEnded);
        await cluster.KnownAsync();
        await cluster.AddAsync("b3");
        await cluster.KnownAsync();
        Assert.Matches("whip_broker_rejected_connections_total.listener=.silo.,reason=.evicted.. 2[0-9]\n", await cluster[0].ScrapeAsync());

        await Patience.UntilAsync(() => silent.All(HasEnded), "the end of all that are silent");
        silent.ForEach(socket => socket.Dispose());
    }

    [SkippableFact]
    public async Task A_preamble_that_is_not_whole_in_time_is_as_none()
    {
        await using var cluster = await TestCluster.StartAsync(tls: false, brokers: 1, options => options.Limits.HandshakeTimeout = TimeSpan.FromSeconds(1));
        var silo = (IPEndPoint)((IWhipProgram)cluster[0].Broker).BoundAddresses.Single(address => address.Name == "silo").EndPoint;
        byte[][] torn = [[64], [64, 0, 0, 0], [64, 0, 0, 0, .. new byte[63]]];
        foreach (var bytes in torn)
        {
            using var stranger = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await stranger.ConnectAsync(silo);
            await stranger.SendAsync(bytes);
            await Patience.UntilAsync(() => HasEnded(stranger), $"the end of one that sent {bytes.Length} bytes");
        }

        Assert.Contains("{listener=\"silo\",reason=\"timeout\"} 3\n", await cluster[0].ScrapeAsync());
    }

    [SkippableFact]
    public async Task Who_brings_a_certificate_that_is_no_brokers_of_the_cluster_is_told_of_once_a_minute_and_why()
    {
        await using var cluster = await TestCluster.StartAsync(tls: true, brokers: 1);
        var silo = (IPEndPoint)((IWhipProgram)cluster[0].Broker).BoundAddresses.Single(address => address.Name == "silo").EndPoint;
        for (var i = 0; i < 3; i++)
        {
            await using var stranger = await Leg.ConnectAsync(silo, default).WaitAsync(Patience.Long);
            var identity = TestCertificates.Shared.MemberIdentity("c2", "b9");
            await stranger.AuthenticateAsClientAsync(identity, "127.0.0.1", default).WaitAsync(Patience.Long);
            await Assert.ThrowsAnyAsync<IOException>(async () => await stranger.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Patience.Long));
        }

        await Patience.UntilAsync(
            async () => (await cluster[0].ScrapeAsync()).Contains("{listener=\"silo\",reason=\"refused\"} 3\n", StringComparison.Ordinal), "three refusals");
        var line = Assert.Single(cluster[0].Logs.Records, record => record.Event.Name == "LegRefused").Message;
        Assert.Contains(" refused: its certificate (", line);
        Assert.Contains("whip://c2/broker/b9", line);
        Assert.EndsWith(
            ") is not that of a broker of the cluster c1; only brokers of the cluster connect here (--silo-listen)", line);
    }

    private static bool HasEnded(Socket socket) => socket.Poll(0, SelectMode.SelectRead);
}
