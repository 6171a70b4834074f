using Whip.Bench.Local;
using Xunit;

namespace Whip.Tests.Support;

/// <summary>A real PostgreSQL for tests. Without one a test is skipped, or fails when WHIP_REQUIRE_TOOLS is 1.</summary>
internal static class PostgresServer
{
    private static readonly Lazy<Task<LocalPostgres>> SharedServer = new(LocalPostgres.StartNewAsync);

    /// <summary>The server that tests share which do it no harm.</summary>
    public static Task<LocalPostgres> SharedAsync()
    {
        Require();
        return SharedServer.Value;
    }

    /// <summary>A server for one test, to stop, kill or freeze.</summary>
    public static Task<LocalPostgres> PrivateAsync()
    {
        Require();
        return LocalPostgres.StartNewAsync();
    }

    public static void Require()
    {
        Assert.True(LocalPostgres.IsInstalled || Environment.GetEnvironmentVariable("WHIP_REQUIRE_TOOLS") != "1", LocalPostgres.Missing);
        Skip.IfNot(LocalPostgres.IsInstalled, LocalPostgres.Missing);
    }

    public static async Task ExecuteAsync(string connectionString, string sql) => await ScalarAsync(connectionString, sql);

    public static Task<object?> ScalarAsync(string connectionString, string sql) => LocalPostgres.ScalarAsync(connectionString, sql);
}
