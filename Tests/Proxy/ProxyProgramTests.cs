using Whip.Tests.Client;

namespace Whip.Tests.Proxy;

public sealed class ProxyProgramTests
{
    [Fact]
    public async Task In_the_originals_mode_one_process_is_broker_and_proxy()
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        await using var proxy = await WhipProcess.StartReadyAsync(
            "whip-proxy", "--tls=false", "--whip-external-tcp-address", "127.0.0.1", "--whip-tcp-listen-port", "0", "--whip-grpc-listen-port", "0",
            "--proxy-listen-port", "0");
        await using var agent = await WhipProcess.StartReadyAsync(
            "whip-agent", "--tls=false", "--hostname", "instance1", "--domain", "testdom", "--ports", $"{service.EndPoint.Port}",
            $"{proxy.Addresses["grpc"]}");
        await proxy.ErrorLineAsync("instance1.testdom registered");

        foreach (var (how, host) in new[] { ("--silent", "instance1.testdom"), ("--silent", "testdom"), ("--proxytunnel", "instance1.testdom") })
        {
            var curl = await ShellCommand.RunAsync(
                "/", "curl", "--silent", how, "--max-time", "30", "--proxy", $"http://{proxy.Addresses["proxy"]}", $"http://{host}:{service.EndPoint.Port}/");
            Assert.Equal((0, "hello"), (curl.ExitCode, curl.Text));
        }
    }

    [Fact]
    public async Task A_broker_of_the_list_that_is_gone_is_not_missed()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var service = await RealService.StartAsync(broker, tls: false, async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
            await connection.WaitForEndAsync();
        });
        await using var proxy = await WhipProcess.StartReadyAsync(
            "whip-proxy", "--tls=false", "--proxy-listen-port", "0", "--broker", $"127.0.0.1:1,{broker.Broker.DialEndPoint}", "--broker", "127.0.0.1:2");
        var curl = await ShellCommand.RunAsync(
            "/", "curl", "--silent", "--max-time", "30", "--proxy", $"http://{proxy.Addresses["proxy"]}", $"http://web.testdom:{service.Port}/");
        Assert.Equal((0, "hello"), (curl.ExitCode, curl.Text));
    }

    [Theory]
    [InlineData("--proxy-listen-port")]
    [InlineData("--whip-grpc-listen-port")]
    [InlineData("--whip-tcp-listen-port")]
    public async Task A_port_that_an_outgoing_connection_has_is_waited_for(string flag)
    {
        using var taken = new OutgoingConnection();
        string[] dials = flag == "--proxy-listen-port" ? ["--broker=127.0.0.1:1"]
            : ["--proxy-listen-port=0", "--whip-external-tcp-address=127.0.0.1", "--whip-external-tcp-port=1"];
        var other = flag switch
        {
            "--whip-grpc-listen-port" => ["--whip-tcp-listen-port=0"],
            "--whip-tcp-listen-port" => ["--whip-grpc-listen-port=0"],
            _ => Array.Empty<string>(),
        };
        await using var proxy = WhipProcess.Start("whip-proxy", ["--tls=false", .. dials, .. other, $"{flag}={taken.LocalEndPoint.Port}"]);
        Assert.Contains($" {flag} \"", await proxy.ErrorLineAsync("the address is in use, though nobody listens there"));
        taken.Dispose();
        await proxy.ReadyAsync();
        Assert.Contains(proxy.Addresses.Values, address => address.Port == taken.LocalEndPoint.Port);
    }

    [Fact]
    public async Task SIGHUP_reads_its_files_again_and_tells_what_has_changed_and_what_is_refused()
    {
        using var folder = new TempFolder();
        var files = TestCertificates.Shared.WriteFiles(folder.FullName);
        var ca = folder.Write("target-ca.pem", TestCertificates.Shared.Roots[0].ExportCertificatePem());
        await using var proxy = await WhipProcess.StartReadyAsync(
            "whip-proxy", "--tls=false", "--broker", "127.0.0.1:1", "--proxy-listen-port", "0", "--target", "https://localhost:1", "--target-ca-cert-path", ca,
            "--proxy-tls", "--proxy-tls-cert-path", files.CertPath!, "--proxy-tls-key-path", files.KeyPath!);
        TestCertificates.Replace(files, TestCertificates.Shared.Issue(Certificates.BrokerLeaf()));
        folder.Write("target-ca.pem", "nothing");
        proxy.Signal(ProcessSignal.Hangup);
        await proxy.ErrorLineAsync("SIGHUP: ");
        await proxy.ErrorLineAsync($"the certificate {files.CertPath} (localhost, 127.0.0.1, ::1, valid to ");
        await proxy.ErrorLineAsync($"the CAs {ca} are refused and those before them stay: ");
        proxy.Signal(ProcessSignal.Terminate);
        Assert.Equal(0, await proxy.ExitCodeAsync());
    }

    [Fact]
    public async Task A_port_in_use_ends_the_program_with_2_and_one_line()
    {
        await using var run = await ProxyRun.StartAsync();
        await using var proxy = WhipProcess.Start(
            "whip-proxy", ["--tls=false", "--broker", "127.0.0.1:1", "--proxy-listen-port", $"{run.EndPoint.Port}"]);

        Assert.Equal(2, await proxy.ExitCodeAsync());
        Assert.StartsWith(
            $"whip-proxy: --proxy-listen-port \"{run.EndPoint.Port}\": the address is in use", proxy.Error[^1], StringComparison.Ordinal);
    }
}
