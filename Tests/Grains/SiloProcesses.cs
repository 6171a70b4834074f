namespace Whip.Tests.Grains;

/// <summary>Two brokers of one cluster on Orleans, each a process, for the tests of one class; started by the first that asks.</summary>
public sealed class SiloProcesses : IAsyncLifetime
{
    private readonly List<WhipProcess> _processes = [];

    /// <summary>What WHIP_POSTGRES holds, of them and of brokers that join them.</summary>
    internal string Database { get; private set; } = "";

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>Without a PostgreSQL the test is skipped.</summary>
    internal async Task StartAsync()
    {
        if (_processes.Count > 0)
        {
            return;
        }

        Database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        foreach (var id in new[] { "b2", "b3" })
        {
            string[] args =
            [
                "--tls=false", "--broker-id", id, "--grpc-listen", "127.0.0.1:0", "--tcp-listen", "127.0.0.1:0", "--dial-listen", "127.0.0.1:0",
                "--metrics-listen", "127.0.0.1:0", "--admin-listen", "", .. TestedEngine.Flags,
            ];
            _processes.Add(WhipProcess.Start("whip-broker", args, new Dictionary<string, string> { ["WHIP_POSTGRES"] = Database }));
        }

        await Task.WhenAll(_processes.Select(process => process.ReadyAsync()));
    }

    public async Task DisposeAsync()
    {
        foreach (var process in _processes)
        {
            // Nothing is to drain.
            process.Kill();
            await process.DisposeAsync();
        }
    }
}
