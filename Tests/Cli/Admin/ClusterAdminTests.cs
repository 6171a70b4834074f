using System.Text.RegularExpressions;

namespace Whip.Tests.Cli.Admin;

/// <summary>The commands at a cluster of real brokers, one of which dies.</summary>
public sealed class ClusterAdminTests
{
    [SkippableFact]
    public async Task A_broker_that_was_killed_is_shown_as_suspect_and_its_answer_as_missing()
    {
        var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using var first = await StartAsync("b1", database);
        await using var second = await StartAsync("b2", database);
        var admin = $"{first.Addresses["admin"]}";
        await UntilAsync(["status", "--admin", admin], @"\nb1 +b2 +ok +yes +\S+ms ");
        await UntilAsync(["explain", "a.testdom:1", "--admin", admin], @"\nb2 +ok +\S+ms +no +-");

        second.Kill();
        await UntilAsync(["status", "--admin", admin], @"\nb1 +b2 +suspect +no ");
        await UntilAsync(["explain", "a.testdom:1", "--admin", admin], @"\nb2 +suspect, no silo +\S+ +no answer +-");
    }

    [Fact]
    public async Task A_broker_that_waits_for_its_database_can_be_looked_at()
    {
        var admin = $"127.0.0.1:{FreePort.Find(1)[0]}";
        await using var broker = Start("b1", $"Host=127.0.0.1;Port={FreePort.Find(1)[0]};Username=whip;Password=x;Database=whip", admin);
        await UntilAsync(["status", "--admin", admin], @"\nb1 +starting +whip +orleans .*\nb1: it is not a silo: PostgreSQL at 127\.0\.0\.1:\d+: .+\n");
    }

    private static async Task<WhipProcess> StartAsync(string id, string database)
    {
        var broker = Start(id, database, "127.0.0.1:0");
        await broker.ReadyAsync();
        return broker;
    }

    private static WhipProcess Start(string id, string database, string admin) => WhipProcess.Start(
        "whip-broker",
        [
            "--tls=false", "--grpc-listen=127.0.0.1:0", "--tcp-listen=127.0.0.1:0", "--dial-listen=127.0.0.1:0", "--metrics-listen=", $"--admin-listen={admin}",
            .. TestedEngine.Flags, $"--postgres={database}", $"--broker-id={id}", "--drain-timeout=1s", "--drain-delay=0s",
        ]);

    private static async Task UntilAsync(string[] args, string pattern)
    {
        using var deadline = new CancellationTokenSource(Patience.Long);
        while (await WhipRun.RunAsync(args) is var run && !Regex.IsMatch(run.Output, pattern))
        {
            Assert.False(deadline.IsCancellationRequested, $"never said {pattern}, but {run.Output}{run.Error}");
            await Task.Delay(50);
        }
    }
}
