using Whip.Tests.Client;

namespace Whip.Tests.Cli.Forward;

/// <summary><c>whip forward</c> and <c>whip socks</c> as processes, with clients that know nothing of Whip.</summary>
public sealed class ForwardProgramTests
{
    [Theory, PlainAndTls]
    public async Task Curl_reaches_a_service_by_a_port_by_a_unix_socket_and_by_its_name(bool tls)
    {
        using var folder = new TempFolder();
        await using var broker = await TestBroker.StartAsync(tls);
        await using var service = await RealService.StartAsync(broker, tls, async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
            await connection.WaitForEndAsync();
        });
        var target = $"web.testdom:{service.Port}";
        var path = folder.PathOf("web.sock");
        string[] common = [.. Tls(tls, folder), "--broker", $"{broker.Broker.DialEndPoint}"];
        await using var forward = await WhipProcess.StartReadyAsync("whip", ["forward", $"127.0.0.1:0={target}", .. common]);
        await using var local = await WhipProcess.StartReadyAsync("whip", ["forward", $"unix:{path}={target}", .. common]);
        await using var socks = await WhipProcess.StartReadyAsync("whip", ["socks", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", .. common]);
        Assert.Equal($"ready {target}=unix:{path}", local.Output[0]);
        string[][] ways =
        [
            [$"http://{forward.Addresses[target]}/"],
            ["--unix-socket", path, "http://web.testdom/"],
            ["--socks5-hostname", $"{socks.Addresses["socks"]}", $"http://{target}/"],
            ["--socks5-hostname", $"{socks.Addresses["socks"]}", $"http://testdom:{service.Port}/"],
        ];
        foreach (var way in ways)
        {
            var curl = await ShellCommand.RunAsync("/", "curl", ["--silent", "--show-error", "--max-time", "30", .. way]);
            Assert.Equal((0, "hello"), (curl.ExitCode, curl.Text));
        }

        var metrics = await ShellCommand.RunAsync("/", "curl", "--silent", $"http://{socks.Addresses["metrics"]}/metrics");
        Assert.Contains("whip_forward_dials_total{outcome=\"connected\"} 2", metrics.Text);
    }

    [SkippableFact]
    public async Task Psql_works_through_a_forwarded_port()
    {
        Tools.Require("psql");
        var postgres = await PostgresServer.SharedAsync();
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var agent = await WhipProcess.StartReadyAsync(
            "whip-agent", "--tls=false", "--hostname", "db1", "--domain", "testdom", "--ports", $"{postgres.Port}", $"{broker.Broker.GrpcEndPoint}");
        await agent.ErrorLineAsync("registered");
        var target = $"db1.testdom:{postgres.Port}";
        await using var forward = await WhipProcess.StartReadyAsync(
            "whip", "forward", "--tls=false", $":0={target}", "--broker", $"{broker.Broker.DialEndPoint}");
        var url = postgres.ConnectionString("postgres").Split(';').Select(part => part.Split('=')).ToDictionary(part => part[0], part => part[1]);
        var psql = await ShellCommand.RunAsync(
            "/", "psql", $"postgresql://{url["Username"]}:{url["Password"]}@{forward.Addresses[target]}/postgres", "-tAc",
            "select count(*) from generate_series(1, 100000) n, repeat(n::text, 100)");
        Assert.Equal((0, "100000\n"), (psql.ExitCode, psql.Text));
    }

    [Theory]
    [InlineData("forward", "whip forward: ADDRESS=HOST:PORT: required; try 127.0.0.1:5432=db1.testdom:5432")]
    [InlineData("forward 5432", "\"5432\": not ADDRESS=HOST:PORT; try 127.0.0.1:5432=db1.testdom:5432")]
    [InlineData("forward :1=:2", "is not a DNS name")]
    [InlineData("forward 0.0.0.0:0=db1.testdom:1", "--listen-anywhere")]
    [InlineData("socks 0.0.0.0:0 --listen-anywhere", "WHIP_SOCKS_PASSWORD")]
    public async Task What_is_wrong_is_named_with_its_flag(string arguments, string problem)
    {
        await using var whip = WhipProcess.Start("whip", [.. arguments.Split(' '), "--tls=false", "--broker", "127.0.0.1:1"]);
        Assert.Equal(2, await whip.ExitCodeAsync());
        Assert.Contains(problem, whip.Error[^1]);
    }

    private static string[] Tls(bool tls, TempFolder folder)
    {
        if (!tls)
        {
            return ["--tls=false"];
        }

        var files = TestCertificates.Shared.WriteClientFiles(folder.FullName, "dialer.testdom");
        return ["--tls-key-path", files.KeyPath!, "--tls-cert-path", files.CertPath!, "--tls-ca-cert-path", files.CaCertPath!];
    }
}
