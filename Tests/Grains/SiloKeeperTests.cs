using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Whip.Grains;
using Whip.Grains.Membership;
using Whip.Grains.Silos;
using Whip.Protocol.Tls;
using Whip.Registry.Routes;

namespace Whip.Tests.Grains;

/// <summary>A broker's silo on a real PostgreSQL: what ends it, and that another follows.</summary>
public sealed class SiloKeeperTests : IAsyncLifetime
{
    private const string ClusterId = "c1";

    // Orleans' numbers.
    private const int Dead = 6;

    private readonly CapturedLogs _logs = new();
    private readonly List<GrainCluster> _started = [];
    private string _database = "";

    public async Task InitializeAsync() => _database = PostgresServer.IsInstalled ? await (await PostgresServer.SharedAsync()).CreateDatabaseAsync() : "";

    public async Task DisposeAsync()
    {
        await Task.WhenAll(_started.Select(cluster => cluster.DisposeAsync().AsTask()));
        _logs.Dispose();
    }

    [SkippableFact]
    public async Task A_silo_that_is_declared_dead_is_followed_by_another()
    {
        var silo = await StartAsync("b1");
        var first = silo.Silo!.Address;
        await PostgresServer.ExecuteAsync(_database, $"UPDATE whip_orleans.silo SET status = {Dead}; UPDATE whip_orleans.view SET version = version + 1");
        await AnotherAsync(silo, first);
    }

    [SkippableTheory]
    [InlineData("DELETE FROM whip_orleans.silo")]
    [InlineData("DELETE FROM whip_orleans.silo; DELETE FROM whip_orleans.view")]
    [InlineData("DROP TABLE whip_orleans.silo, whip_orleans.view, whip_orleans.orleansquery")]
    [InlineData("DROP SCHEMA whip_orleans CASCADE")]
    public async Task Silos_whose_table_was_emptied_put_back_their_rows_and_go_on(string sql)
    {
        var (one, two) = (await StartAsync("b1"), await StartAsync("b2"));
        await SeeAsync(one, "b1 b2");
        await SeeAsync(two, "b1 b2");
        var (first, second) = (one.Silo!.Address, two.Silo!.Address);
        await PostgresServer.ExecuteAsync(_database, sql);
        await _logs.WaitForAsync("Mended");
        var three = await StartAsync("b3");
        foreach (var silo in new[] { one, two, three })
        {
            await SeeAsync(silo, "b1 b2 b3");
        }

        Assert.Equal((first, second), (one.Silo!.Address, two.Silo!.Address));
    }

    [SkippableFact]
    public async Task A_silo_that_leaves_is_gone_at_once()
    {
        var (one, two) = (await StartAsync("b1"), await StartAsync("b2"));
        await SeeAsync(one, "b1 b2");
        await StopAsync(two);
        await SeeAsync(one, "b1");
    }

    [SkippableFact]
    public async Task Without_a_database_it_says_why_and_tries_on()
    {
        await using var server = await PostgresServer.PrivateAsync();
        _database = await server.CreateDatabaseAsync();
        await server.StopAsync();
        var silo = Start("b1", tls: null);
        await _logs.WaitForAsync("Waiting");
        Assert.Null(silo.Silo);
        Assert.Empty(silo.Members.Silos);
        Assert.StartsWith($"PostgreSQL at 127.0.0.1:{server.Port}: ", silo.Problem);
        await server.StartAsync();
        await silo.Joined.WaitAsync(Patience.Long);
        await StopAsync(silo);
    }

    [SkippableFact]
    public async Task Clusters_that_share_a_database_do_not_see_each_other()
    {
        var (one, other) = (await StartAsync("b1"), Start("b1", tls: null, "c2"));
        await other.Joined.WaitAsync(Patience.Long);
        await SeeAsync(one, "b1");
        await SeeAsync(other, "b1");
    }

    [SkippableFact]
    public async Task Silos_of_one_cluster_take_each_others_certificates()
    {
        var one = Start("b1", TestCertificates.Shared.MemberIdentity(ClusterId, "b1"));
        var two = Start("b2", TestCertificates.Shared.MemberIdentity(ClusterId, "b2"));
        await Task.WhenAll(one.Joined, two.Joined).WaitAsync(Patience.Long);
        await SeeAsync(one, "b1 b2");
        await SeeAsync(two, "b1 b2");
    }

    [SkippableTheory]
    [InlineData("another cluster's broker")]
    [InlineData("a broker of no cluster")]
    [InlineData("an agent")]
    [InlineData("nobody")]
    public async Task A_silo_takes_no_connection_but_from_a_broker_of_its_cluster(string who)
    {
        var silo = Start("b1", TestCertificates.Shared.MemberIdentity(ClusterId, "b1"));
        await silo.Joined.WaitAsync(Patience.Long);
        await AssertRefusedAsync(silo.Silo!.Address.Endpoint, who switch
        {
            "another cluster's broker" => TestCertificates.Shared.MemberIdentity("c2", "b1"),
            "a broker of no cluster" => TestCertificates.Shared.BrokerIdentity,
            "an agent" => TestCertificates.Shared.ClientIdentity("b1.testdom"),
            _ => null,
        });
    }

    /// <summary>Under TLS 1.3 a refusal is seen by the first read only. A silo that takes a connection waits for the other's first word.</summary>
    private static async Task AssertRefusedAsync(IPEndPoint address, TlsIdentity? identity)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address).WaitAsync(Patience.Long);
        await using var stream = new SslStream(new NetworkStream(socket));
        var options = identity?.ClientOptions("silo", 0) ?? new SslClientAuthenticationOptions { TargetHost = "silo" };
        (options.RemoteCertificateValidationCallback, options.ApplicationProtocols) = ((_, certificate, _, _) => certificate is not null, [new SslApplicationProtocol("Orleans1")]);
        try
        {
            await stream.AuthenticateAsClientAsync(options).WaitAsync(Patience.Long);
            Assert.Equal(0, await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience.Long));
        }
        catch (Exception error) when (error is IOException or AuthenticationException)
        {
            // Refused.
        }
    }

    private static Task SeeAsync(GrainCluster silo, string ids) => Patience.UntilAsync(() => string.Join(' ', silo.Members.Silos) == ids, $"the silos {ids}");

    private static Task AnotherAsync(GrainCluster silo, Orleans.Runtime.SiloAddress before) =>
        Patience.UntilAsync(() => silo.Silo is { } now && !now.Address.Equals(before), $"another silo than {before}");

    private async Task StopAsync(GrainCluster silo)
    {
        _started.Remove(silo);
        await silo.DisposeAsync().AsTask().WaitAsync(Patience.Long);
    }

    private async Task<GrainCluster> StartAsync(string id)
    {
        PostgresServer.Require();
        var silo = Start(id, tls: null);
        await silo.Joined.WaitAsync(Patience.Long);
        return silo;
    }

    private GrainCluster Start(string id, TlsIdentity? tls, string clusterId = ClusterId)
    {
        PostgresServer.Require();
        var address = new IPEndPoint(IPAddress.Loopback, FreePort.Find(1)[0]);
        var setup = new SiloSetup
        {
            ClusterId = clusterId,
            BrokerId = id,
            Store = new PostgresStore(_database, clusterId),
            Listen = address,
            External = address,
            GatewayListen = null,
            Tls = tls,
        };
        var silo = new GrainCluster(setup, new LocalRoutes(100), _logs, TimeProvider.System);
        silo.Members.Introduce($"{id}.test:50051", $"{id}.test:8000", $"{id}.test:8010");
        _started.Add(silo);
        silo.Start();
        return silo;
    }
}
