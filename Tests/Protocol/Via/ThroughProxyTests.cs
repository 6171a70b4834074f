using System.Runtime.Versioning;
using System.Text;
using Whip.Tests.Cli.Connect;
using Whip.Tests.Client;

namespace Whip.Tests.Protocol.Via;

/// <summary>The programs through squid and tinyproxy, as Debian has them.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ThroughProxyTests : IDisposable
{
    private const string Hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";

    private readonly TempFolder _folder = new();

    [SkippableTheory]
    [InlineData("squid", false, "")]
    [InlineData("squid", true, "alice:secret@")]
    [InlineData("tinyproxy", false, "alice:secret@")]
    [InlineData("tinyproxy", true, "")]
    public async Task Every_program_reaches_its_broker_through_the_proxy(string program, bool tls, string user)
    {
        Tools.Require(program);
        await using var broker = await TestBroker.StartAsync(tls);
        await using var proxy = await StartAsync(
            program, user, broker.Broker.GrpcEndPoint!.Port, broker.Broker.TcpEndPoint!.Port, broker.Broker.DialEndPoint!.Port);
        await using var web = new FakeDialFront(tls: false, async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(Hello);
            await connection.EndAsync();
            await connection.WaitForEndAsync();
        });
        await using var echo = new FakeDialFront(tls: false, connection => connection.EchoAsync());
        string[] publish = ["--hostname", "web", "--domain", "testdom", "--ports", $"{web.Port},{echo.Port}"];
        await using var agent = WhipProcess.Start(
            "whip-agent", [.. publish, .. Tls(tls, "web.testdom"), "--via", Url(proxy, user), $"{broker.Broker.GrpcEndPoint}"]);
        await agent.ErrorLineAsync("registered");
        await agent.ErrorLineAsync($"Brokers are reached through the proxy {Url(proxy)}, by --via");

        string[] dial = [.. Tls(tls, "dialer.testdom"), "--broker", $"localhost:{broker.Broker.DialEndPoint.Port}"];
        await using var forward = await WhipProcess.StartReadyAsync("whip", ["forward", $":0=web.testdom:{web.Port}", .. dial, "--via", Url(proxy, user)]);
        await using var forwardProxy = WhipProcess.Start(
            "whip-proxy", ["--proxy-listen-port", "0", .. dial],
            new Dictionary<string, string> { ["HTTPS_PROXY"] = Url(proxy, user), ["no_proxy"] = "example.com" });
        await forwardProxy.ReadyAsync();
        for (var i = 0; i < 5; i++)
        {
            var forwarded = await CurlAsync($"http://{forward.Addresses[$"web.testdom:{web.Port}"]}/");
            var proxied = await CurlAsync("--proxy", $"http://{forwardProxy.Addresses["proxy"]}", $"http://web.testdom:{web.Port}/");
            Assert.Equal(("hello", "hello"), (forwarded, proxied));
        }

        await forwardProxy.ErrorLineAsync($"Brokers are reached through the proxy {Url(proxy)}, by HTTPS_PROXY");
        await EchoAsync(echo.Port, proxy, user, tls, dial[^1]);
        Assert.DoesNotContain(agent.Error.Concat(forward.Error).Concat(forwardProxy.Error), line => line.Contains("secret", StringComparison.Ordinal));
    }

    /// <summary>Where the agent is, nothing of the broker's network can be looked up.</summary>
    [SkippableTheory, PlainAndTls]
    public async Task An_agent_that_cannot_look_up_its_broker_leaves_that_to_the_proxy(bool tls)
    {
        Tools.Require("squid");
        var legs = FreePort.Find(1).Single();
        await using var broker = await TestBroker.StartAsync(tls, options =>
        {
            (options.TcpListen, options.ExternalTcp) = ($"127.0.0.1:{legs}", $"broker.invalid:{legs}");
            var leaf = Certificates.BrokerLeaf() with { DnsNames = ["broker.invalid"] };
            options.Tls = tls ? TestCertificates.Shared.WriteFiles(_folder.FullName, "broker", TestCertificates.Shared.Identity(leaf)) : options.Tls;
        });
        var (grpc, front) = (broker.Broker.GrpcEndPoint!, broker.Broker.DialEndPoint!);
        var hosts = _folder.Write("hosts", "127.0.0.1 broker.invalid\n");
        await using var proxy = await StartAsync("squid", "", FreePort.Find(1).Single(), [grpc.Port, legs, front.Port], $"hosts_file {hosts}");
        await using var echo = new FakeDialFront(tls: false, connection => connection.EchoAsync());
        await using var agent = WhipProcess.Start(
            "whip-agent",
            [
                "--hostname", "web", "--domain", "testdom", "--ports", $"{echo.Port}", .. Tls(tls, "web.testdom"), "--via", Url(proxy),
                $"broker.invalid:{grpc.Port}",
            ]);
        await agent.ErrorLineAsync($"cannot look up broker.invalid:{grpc.Port}");
        await agent.ErrorLineAsync("registered");
        for (var i = 0; i < 3; i++)
        {
            await EchoAsync(echo.Port, proxy, "", tls, $"broker.invalid:{front.Port}");
        }
    }

    /// <summary>The broker is where no proxy's default rules lead.</summary>
    [SkippableTheory]
    [InlineData("squid")]
    [InlineData("tinyproxy")]
    public async Task A_port_that_the_proxy_does_not_allow_and_a_wrong_password_are_named(string program)
    {
        Tools.Require(program);
        await using var broker = await TestBroker.StartAsync(tls: false);
        var (grpc, front) = (broker.Broker.GrpcEndPoint!, broker.Broker.DialEndPoint!);
        await using var proxy = await StartAsync(program, "alice:secret@", 443);
        await using var agent = WhipProcess.Start(
            "whip-agent",
            [
                "--tls=false", "--hostname", "web", "--domain", "testdom", "--ports", "80", "--via", Url(proxy, "alice:secret@"),
                "--metrics-listen", "127.0.0.1:0", $"{grpc}",
            ]);
        await agent.ReadyAsync();
        await agent.ErrorLineAsync($"no control stream to {grpc}: Unavailable: the proxy {Url(proxy)} allows no tunnel to {grpc} (403); ");
        await agent.ErrorLineAsync("squid: SSL_ports and Safe_ports; tinyproxy: ConnectPort");
        var metrics = await CurlAsync($"http://{agent.Addresses["metrics"]}/metrics");
        Assert.Matches("whip_agent_reconnects_total{reason=\"proxy_refused\"} [1-9]", metrics);
        foreach (var (user, problem) in new[]
        {
            ("alice:secret@", $"allows no tunnel to {front} (403); most proxies allow port 443 alone"),
            ("alice:wrong@", "does not accept the user and password (40"),
            ("", "wants a user and a password (407)"),
        })
        {
            var dial = await WhipAsync("connect", "web.testdom:80", "--tls=false", "--broker", $"{front}", "--via", Url(proxy, user));
            Assert.Equal(1, dial.ExitCode);
            Assert.Contains($"broker-unreachable: no connection to {front}: the proxy {Url(proxy)} {problem}", dial.Text);
        }
    }

    [SkippableTheory]
    [InlineData("squid")]
    [InlineData("tinyproxy")]
    public async Task An_agent_whose_proxy_goes_away_says_so_and_is_back_when_it_is(string program)
    {
        Tools.Require(program);
        await using var broker = await TestBroker.StartAsync(tls: true);
        var grpc = broker.Broker.GrpcEndPoint!;
        var port = FreePort.Find(1).Single();
        var proxy = await StartAsync(program, "", port, [grpc.Port]);
        await using var agent = WhipProcess.Start(
            "whip-agent", ["--hostname", "web", "--domain", "testdom", "--ports", "80", .. Tls(tls: true, "web.testdom"), "--via", Url(proxy), $"{grpc}"]);
        await agent.ErrorLineAsync("registered");
        var url = Url(proxy);
        await proxy.DisposeAsync();
        await agent.ErrorLineAsync($"the proxy {url} may have cut it");
        await agent.ErrorLineAsync($"the proxy {url} cannot be reached: ");
        var before = agent.Error.Count(line => line.Contains("is registered at", StringComparison.Ordinal));
        await using var again = await StartAsync(program, "", port, [grpc.Port]);
        await Patience.UntilAsync(
            () => agent.Error.Count(line => line.Contains("is registered at", StringComparison.Ordinal)) > before, "the second registration");
    }

    [SkippableTheory, PlainAndTls]
    public async Task A_dial_that_the_proxy_cuts_because_nobody_speaks_says_what_may_have_cut_it(bool tls)
    {
        Tools.Require("tinyproxy");
        await using var broker = await TestBroker.StartAsync(tls);
        var front = broker.Broker.DialEndPoint!;
        await using var proxy = await StartAsync("tinyproxy", "", FreePort.Find(1).Single(), [front.Port], "Timeout 1");
        await using var service = await RealService.StartAsync(broker, tls, connection => connection.WaitForEndAsync());
        using var dial = new ConnectProcess(tls, $"{front}", $"web.testdom:{service.Port}", "--via", Url(proxy));
        var (code, error) = await dial.WaitForExitAsync();
        Assert.Equal(1, code);
        Assert.Contains($"the proxy {Url(proxy)} may have cut it, as proxies do with idle connections", error);
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<string> CurlAsync(params string[] arguments)
    {
        var curl = await ShellCommand.RunAsync("/", "curl", ["--silent", "--show-error", "--max-time", "60", "--noproxy", "", .. arguments]);
        Assert.True(curl.ExitCode == 0, curl.Text);
        return curl.Text;
    }

    private static Task<ShellCommand> WhipAsync(params string[] arguments) =>
        ShellCommand.RunAsync("/", Path.Combine(AppContext.BaseDirectory, "whip"), arguments);

    /// <summary>A dial by <c>whip connect</c>, whose input ends before its output.</summary>
    private async Task EchoAsync(int port, ListeningProgram proxy, string user, bool tls, string front)
    {
        var said = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 100_000).Select(number => $"{number}\n")));
        string[] via = user.Length == 0
            ? ["--via", Url(proxy)]
            : ["--via", Url(proxy, "alice@"), "--via-password-path", _folder.Write("password", "secret\n")];
        using var connect = new ConnectProcess(tls, front, $"web.testdom:{port}", via);
        var reading = connect.Output.ReadToEndAsync();
        await connect.Input.WriteAsync(said);
        connect.Input.Close();
        Assert.Equal(said, await reading.WaitAsync(Patience.Long));
        Assert.Equal((0, ""), await connect.WaitForExitAsync());
    }

    private static string Url(ListeningProgram proxy, string user = "") => $"http://{user}127.0.0.1:{proxy.Port}";

    private Task<ListeningProgram> StartAsync(string program, string user, params int[] ports) =>
        StartAsync(program, user, FreePort.Find(1).Single(), ports);

    /// <summary>A proxy that makes tunnels to these ports, for <c>alice</c> alone if there is a user.</summary>
    private Task<ListeningProgram> StartAsync(string program, string user, int port, int[] ports, string more = "")
    {
        if (program == "tinyproxy")
        {
            var allowed = string.Join('\n', ports.Select(to => $"ConnectPort {to}"));
            var config = $"Port {port}\nListen 127.0.0.1\nMaxClients 100\n{(user.Length > 0 ? "BasicAuth alice secret\n" : "")}{allowed}\n{more}\n";
            return ListeningProgram.StartAsync(port, program, "-d", "-c", _folder.Write($"tinyproxy-{port}.conf", config));
        }

        // As root it becomes another user, who must be able to read this.
        File.SetUnixFileMode(_folder.FullName, File.GetUnixFileMode(_folder.FullName) | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        var check = _folder.Write("check.sh", """
            while read -r user password; do [ "$user $password" = "alice secret" ] && echo OK || echo ERR; done

            """);
        var users = user.Length == 0 ? "" : $"""
            auth_param basic program /bin/sh {check}
            auth_param basic children 1 startup=1
            acl users proxy_auth REQUIRED
            http_access deny !users
            """;
        var file = _folder.Write($"squid-{port}.conf", $"""
            http_port 127.0.0.1:{port}
            pid_filename none
            cache_log /dev/null
            access_log none
            cache deny all
            netdb_filename none
            pinger_enable off
            shutdown_lifetime 0 seconds
            visible_hostname localhost
            acl SSL_ports port {string.Join(' ', ports)}
            {users}
            http_access deny !SSL_ports
            http_access allow all
            {more}

            """);
        return ListeningProgram.StartAsync(port, program, "-N", "-n", $"whip{port}", "-f", file);
    }

    private string[] Tls(bool tls, string name) => tls ? Certificates.Flags(TestCertificates.Shared.WriteClientFiles(_folder.FullName, name)) : ["--tls=false"];
}
