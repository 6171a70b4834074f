namespace Whip.Tests.Support;

/// <summary>PostgreSQL for tests. Without one a test is skipped, or fails when WHIP_REQUIRE_TOOLS is 1.</summary>
internal static class TestPostgres
{
    private static readonly Lazy<Task<PostgresServer>> SharedServer = new(PostgresServer.StartNewAsync);

    extension(PostgresServer)
    {
        /// <summary>The server that tests share which do it no harm.</summary>
        public static Task<PostgresServer> SharedAsync()
        {
            PostgresServer.Require();
            return SharedServer.Value;
        }

        /// <summary>A server for one test, to stop, kill or freeze.</summary>
        public static Task<PostgresServer> PrivateAsync()
        {
            PostgresServer.Require();
            return PostgresServer.StartNewAsync();
        }

        public static void Require()
        {
            Assert.True(PostgresServer.IsInstalled || Environment.GetEnvironmentVariable("WHIP_REQUIRE_TOOLS") != "1", PostgresServer.Missing);
            Skip.IfNot(PostgresServer.IsInstalled, PostgresServer.Missing);
        }
    }
}
