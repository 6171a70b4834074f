using System.Net;

namespace Whip.Tests.Broker.Cluster;

/// <summary>Brokers as processes, with what their users get wrong.</summary>
public sealed class ClusterProgramTests
{
    private static readonly string[] Plain =
    [
        "--tls=false", "--grpc-listen", "127.0.0.1:0", "--tcp-listen", "127.0.0.1:0", "--dial-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0",
        "--admin-listen", "127.0.0.1:0",
        "--drain-delay", "0s", .. TestedEngine.Flags,
    ];

    [SkippableFact]
    public async Task A_broker_whose_database_is_away_says_so_waits_and_is_not_ready()
    {
        await using var server = await PostgresServer.PrivateAsync();
        var database = await server.CreateDatabaseAsync();
        await server.StopAsync();

        await using var broker = Start("b1", database);
        var waits = await broker.ErrorLineAsync("PostgreSQL at");
        Assert.Contains($"127.0.0.1:{server.Port}", waits);
        Assert.DoesNotContain(broker.Output, line => line.StartsWith("ready", StringComparison.Ordinal));

        await server.StartAsync();
        await broker.ReadyAsync();
        await UntilReadyAsync(broker);
        Assert.DoesNotContain(broker.Error, line => line.Contains("Password", StringComparison.OrdinalIgnoreCase));
    }

    [SkippableFact]
    public async Task The_second_of_two_brokers_with_one_id_is_refused_while_the_first_lives()
    {
        var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using var first = Start("b1", database);
        await first.ReadyAsync();

        await using var second = Start("b1", database);
        Assert.StartsWith("whip-broker: --broker-id \"b1\": the broker id b1 is in use", await second.ErrorLineAsync("whip-broker: "));
        Assert.Equal(2, await second.ExitCodeAsync());
        await UntilReadyAsync(first);
    }

    [SkippableFact]
    public async Task The_id_of_a_broker_that_crashed_is_taken_over()
    {
        var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using (var first = Start("b1", database))
        {
            await first.ReadyAsync();
            first.Kill();
        }

        await using var second = Start("b1", database);
        await second.ReadyAsync();
        Assert.Equal(1L, await PostgresServer.ScalarAsync(database, "SELECT count(*) FROM whip_orleans.silo WHERE status = 3"));
    }

    [Theory]
    [InlineData("", "WHIP_POSTGRES: is needed with --cluster orleans")]
    [InlineData("nonsense", "WHIP_POSTGRES: not a PostgreSQL connection string")]
    public async Task A_connection_string_that_is_none_ends_it_with_exit_code_2(string postgres, string expected)
    {
        await using var broker = Start("b1", postgres);
        Assert.Contains(expected, await broker.ErrorLineAsync("whip-broker: "));
        Assert.Equal(2, await broker.ExitCodeAsync());
    }

    [Fact]
    public async Task A_certificate_of_another_broker_ends_it_with_exit_code_2()
    {
        using var folder = new TempFolder();
        var files = TestCertificates.Shared.WriteFiles(folder.FullName, "b1", TestCertificates.Shared.MemberIdentity("whip", "b1"));
        await using var broker = WhipProcess.Start(
            "whip-broker",
            [
                .. Plain.Skip(1), "--broker-id", "b2",
                "--tls-key-path", files.KeyPath!, "--tls-cert-path", files.CertPath!, "--tls-ca-cert-path", files.CaCertPath!,
            ],
            new Dictionary<string, string> { ["WHIP_POSTGRES"] = "Host=127.0.0.1" });
        var line = await broker.ErrorLineAsync("whip-broker: ");
        Assert.Contains("--broker-id \"b2\"", line);
        Assert.Contains("whip://whip/broker/b2", line);
        Assert.Equal(2, await broker.ExitCodeAsync());
    }

    private static WhipProcess Start(string id, string database) => WhipProcess.Start(
        "whip-broker", [.. Plain, "--broker-id", id], new Dictionary<string, string> { ["WHIP_POSTGRES"] = database });

    private static async Task UntilReadyAsync(WhipProcess broker)
    {
        using var http = new HttpClient();
        await Patience.UntilAsync(
            async () => (await http.GetAsync($"http://{broker.Addresses["metrics"]}/readyz")).StatusCode == HttpStatusCode.OK, "/readyz with 200");
    }
}
