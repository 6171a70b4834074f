using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Whip.Grains.Membership;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;
using Whip.Tests.Grains.Membership;

namespace Whip.Tests.Grains;

/// <summary>How a broker becomes a silo and stops to be one, and whom its silo talks to.</summary>
public sealed class SiloKeeperTests : IAsyncLifetime
{
    private readonly SiloTestCluster _cluster = new(new MemoryStore());

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task A_silo_that_leaves_is_gone_at_once()
    {
        var (one, two) = (await _cluster.AddAsync("b1"), await _cluster.AddAsync("b2"));
        await SeeAsync("b1 b2", one, two);
        await _cluster.StopAsync(two);
        await SeeAsync("b1", one);
    }

    [SkippableFact]
    public async Task Without_a_database_it_says_why_and_tries_on()
    {
        await using var server = await PostgresServer.PrivateAsync();
        var store = new PostgresStore(await server.CreateDatabaseAsync(), TableSilo.ClusterId);
        await server.StopAsync();
        await using var cluster = new SiloTestCluster(store);
        var silo = cluster.Create("b1");
        silo.Grains.Start();
        await cluster.Logs.WaitForAsync("Waiting");
        Assert.Null(silo.Grains.Silo);
        Assert.Equal("", silo.Sees);
        Assert.StartsWith($"PostgreSQL at 127.0.0.1:{server.Port}: ", silo.Grains.Problem);
        await server.StartAsync();
        await silo.Grains.Joined.WaitAsync(Patience.Long);
        await cluster.StopAsync(silo);
    }

    [SkippableFact]
    public async Task Clusters_that_share_a_database_do_not_see_each_other()
    {
        var database = (await DamagedPostgres.CreateAsync()).Database;
        await using var first = new SiloTestCluster(new PostgresStore(database, "c1"), "c1");
        await using var second = new SiloTestCluster(new PostgresStore(database, "c2"), "c2");
        await SeeAsync("b1", await first.AddAsync("b1"), await second.AddAsync("b1"));
    }

    [Fact]
    public async Task Silos_of_one_cluster_take_each_others_certificates()
    {
        await SeeAsync("b1 b2", await _cluster.AddAsync("b1", tls: Member("b1")), await _cluster.AddAsync("b2", tls: Member("b2")));
    }

    [Theory]
    [InlineData("another cluster's broker")]
    [InlineData("a broker of no cluster")]
    [InlineData("an agent")]
    [InlineData("nobody")]
    public async Task A_silo_takes_no_connection_but_from_a_broker_of_its_cluster(string who)
    {
        var silo = await _cluster.AddAsync("b1", tls: Member("b1"));
        await AssertRefusedAsync(silo.Address.Endpoint, who switch
        {
            "another cluster's broker" => TestCertificates.Shared.MemberIdentity("c2", "b1"),
            "a broker of no cluster" => TestCertificates.Shared.BrokerIdentity,
            "an agent" => TestCertificates.Shared.ClientIdentity("b1.testdom"),
            _ => null,
        });
    }

    [Fact]
    public async Task A_silo_with_a_certificate_of_another_CA_is_named_when_it_was_refused_three_times()
    {
        var one = await _cluster.AddAsync("b1", tls: Member("b1"));
        var two = _cluster.Create("b2", tls: new Certificates("another CA").MemberIdentity(TableSilo.ClusterId, "b2"));
        two.Grains.Start();
        var refused = await _cluster.Logs.WaitForAsync(
            record => record.Event.Name == "Refused" && record.Message.Contains($"{one.Address.Endpoint}", StringComparison.Ordinal), "b1 is refused by b2");
        Assert.Contains("another CA, same --cluster-id?", refused.Message, StringComparison.Ordinal);
        Assert.False(two.Grains.Joined.IsCompleted);
    }

    [Fact]
    public async Task A_silo_that_comes_to_be_denied_loses_its_links_and_gets_no_others()
    {
        using var folder = new TempFolder();
        var files = TestCertificates.Shared.WriteFiles(folder.FullName, "b1", Member("b1"));
        files.DenyPath = folder.Write("deny", "");
        var denying = TlsIdentity.Load(files);
        await _cluster.AddAsync("b1", tls: denying);
        var two = await _cluster.AddAsync("b2", tls: Member("b2"));
        var denied = two.Address.Endpoint;
        await _cluster.KnownAsync();

        // No new connection is needed as long as the links stand.
        folder.Write("deny", BrokerUri.Format(TableSilo.ClusterId, "b2"));
        denying.Denied!.Look(atOnce: true);
        await _cluster.Logs.WaitForAsync(
            record => record.Event.Name == "Refused" && record.Message.Contains($"{denied}", StringComparison.Ordinal)
                && record.Message.Contains("is on the deny list", StringComparison.Ordinal),
            "b2 is refused by b1");
    }

    private static TlsIdentity Member(string id) => TestCertificates.Shared.MemberIdentity(TableSilo.ClusterId, id);

    /// <summary>Under TLS 1.3 a refusal is seen by the first read only. A silo that takes a connection waits for the other's first word.</summary>
    private static async Task AssertRefusedAsync(IPEndPoint address, TlsIdentity? identity)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address).WaitAsync(Patience.Long);
        await using var stream = new SslStream(new NetworkStream(socket));
        var options = identity?.ClientOptions("silo", 0) ?? new SslClientAuthenticationOptions { TargetHost = "silo" };
        options.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
        options.ApplicationProtocols = [new SslApplicationProtocol("Orleans1")];
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

    private static Task SeeAsync(string ids, params TestedSilo[] silos) =>
        Patience.UntilAsync(() => silos.All(silo => silo.Sees == ids), $"the silos {ids}");
}
