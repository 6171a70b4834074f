using System.Net.Security;
using Prometheus;
using Whip.Hosting.Listening;
using Whip.Hosting.Programs;
using Whip.Protocol.Tls;
using Whip.Proxy;

namespace Whip.Tests.Proxy;

/// <summary>Files of a proxy that are replaced while it runs. Its clock stands, so that they are looked at when the test says so.</summary>
public sealed class ProxyFilesTests : IDisposable
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private const string Get = "GET http://instance1.testdom/ HTTP/1.1\r\nHost: instance1.testdom\r\n\r\n";

    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_renewed_certificate_is_shown_to_new_clients_at_once_and_told_by_the_metric()
    {
        await using var service = Service.Answering(Ok);
        var (run, files) = await StartWithTlsAsync(service);
        await using var proxy = run;
        var before = await run.ConnectAsync();
        var end = TestCertificates.InWholeSeconds(DateTimeOffset.UtcNow.AddDays(20));
        TestCertificates.Replace(files, TestCertificates.Shared.Issue(Certificates.BrokerLeaf() with { NotAfter = end }));
        Reload(run.Proxy);

        Assert.Equal(end, (await run.ConnectAsync()).Peer!.NotAfter);
        Assert.NotEqual(end, before.Peer!.NotAfter);
        Assert.StartsWith("HTTP/1.1 200 ", await before.AskAsync(Get), StringComparison.Ordinal);
        Assert.Contains(files.CertPath!, (await run.Logs.WaitForAsync("CertificateTaken")).Message, StringComparison.Ordinal);
        Assert.Contains($"whip_proxy_certificate_not_after_seconds {end.ToUnixTimeSeconds()}\n", await run.ScrapeAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("damaged", "holds a damaged certificate")]
    [InlineData("expired", "expired on ")]
    [InlineData("of a client", "lacks the extended key usage serverAuth")]
    public async Task A_bad_one_is_refused_until_it_is_mended_and_the_old_one_stays(string certificate, string problem)
    {
        await using var service = Service.Answering(Ok);
        var (run, files) = await StartWithTlsAsync(service);
        await using var proxy = run;
        var good = (await run.ConnectAsync()).Peer!;
        var leaf = certificate == "expired"
            ? Certificates.BrokerLeaf() with { NotAfter = DateTimeOffset.UtcNow.AddMinutes(-1) } : Certificates.ClientLeaf("localhost");
        TestCertificates.Replace(files, TestCertificates.Shared.Issue(leaf));
        if (certificate == "damaged")
        {
            await File.WriteAllTextAsync(files.CertPath!, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        }

        Reload(run.Proxy);
        Assert.Contains(problem, (await run.Logs.WaitForAsync("CertificateRefused")).Message, StringComparison.Ordinal);
        Assert.Contains("whip_proxy_reload_refused{file=\"proxy-tls\"} 1\n", await run.ScrapeAsync(), StringComparison.Ordinal);
        Assert.Equal(good.NotAfter, (await run.ConnectAsync()).Peer!.NotAfter);
        Assert.True(((IWhipProgram)run.Proxy).IsReady);

        TestCertificates.Replace(files, TestCertificates.Shared.Issue(Certificates.BrokerLeaf()));
        Reload(run.Proxy);
        Assert.Contains("whip_proxy_reload_refused{file=\"proxy-tls\"} 0\n", await run.ScrapeAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_end_of_a_certificate_is_told_and_makes_the_proxy_not_ready(bool shownToClients)
    {
        var leaf = shownToClients ? Certificates.BrokerLeaf() : Certificates.ClientLeaf("proxy.dialers");
        var files = TestCertificates.Shared.WriteFiles(
            _folder.FullName, "short", TestCertificates.Shared.Identity(leaf with { NotAfter = DateTimeOffset.UtcNow.AddHours(2) }));
        await using var run = await ProxyRun.StartAsync(time: _time, configure: options =>
        {
            if (shownToClients)
            {
                (options.ServerCertPath, options.ServerKeyPath) = (files.CertPath, files.KeyPath);
            }
            else
            {
                (options.Dialer, options.Brokers, options.Tls) = (null, ["127.0.0.1:1"], files);
            }
        });
        run.Logs.Expect("CertificateEnded");
        Assert.True(((IWhipProgram)run.Proxy).IsReady);
        _time.Advance(TimeSpan.FromMinutes(90));
        await run.Logs.WaitForAsync("CertificateEnds");
        Assert.True(((IWhipProgram)run.Proxy).IsReady);
        _time.Advance(TimeSpan.FromMinutes(31));
        Assert.False(((IWhipProgram)run.Proxy).IsReady);
        Assert.Contains(files.CertPath!, (await run.Logs.WaitForAsync("CertificateEnded")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_CAs_of_the_target_are_those_that_its_file_holds_now()
    {
        await using var service = Service.Start(async leg =>
        {
            await leg.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions { ServerCertificate = TestCertificates.Shared.BrokerIdentity.Certificate }, default);
            await Wire.ReadHeadAsync(leg);
            await leg.SendAsync(Ok);
        });
        var path = _folder.Write("ca.pem", TestCertificates.OtherCaRoots[0].ExportCertificatePem());
        await using var run = await ProxyRun.StartAsync(time: _time, configure: options =>
            (options.Target, options.TargetCaCertPath) = (new Uri("https://localhost:4443"), path));
        run.Dialer.Map("localhost:4443", service.EndPoint);
        var request = $"GET / HTTP/1.1\r\nHost: 127.0.0.1:{run.EndPoint.Port}\r\n\r\n";
        Assert.StartsWith("HTTP/1.1 502 ", await run.AskAsync(request), StringComparison.Ordinal);

        _folder.Write("ca.pem", TestCertificates.Shared.Roots[0].ExportCertificatePem());
        Reload(run.Proxy);
        Assert.Contains($"the CAs {path} were read again", (await run.Logs.WaitForAsync("CasTaken")).Message, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await run.AskAsync(request), StringComparison.Ordinal);

        _folder.Write("ca.pem", "nothing");
        Reload(run.Proxy);
        Assert.Contains("holds no PEM certificate", (await run.Logs.WaitForAsync("CasRefused")).Message, StringComparison.Ordinal);
        Assert.Contains("whip_proxy_reload_refused{file=\"target-ca\"} 1\n", await run.ScrapeAsync(), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await run.AskAsync(request), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_renewed_certificate_toward_the_brokers_is_shown_to_them_at_once_and_told_by_the_log()
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        var files = TestCertificates.Shared.WriteClientFiles(_folder.FullName, "old.dialers");
        await using var run = await ProxyRun.StartAsync(time: _time, configure: options =>
            (options.Dialer, options.Brokers, options.Tls) = (null, [$"{broker.Broker.DialEndPoint}"], files));
        await AssertDialsAsAsync("old.dialers");

        var end = TestCertificates.InWholeSeconds(DateTimeOffset.UtcNow.AddDays(20));
        TestCertificates.Replace(files, TestCertificates.Shared.Issue(Certificates.ClientLeaf("new.dialers") with { NotAfter = end }));
        Reload(run.Proxy);
        await AssertDialsAsAsync("new.dialers");
        Assert.Contains("(new.dialers, valid to ", (await run.Logs.WaitForAsync("CertificateTaken")).Message, StringComparison.Ordinal);
        Assert.Contains($"whip_proxy_dialer_certificate_not_after_seconds {end.ToUnixTimeSeconds()}\n", await run.ScrapeAsync(), StringComparison.Ordinal);

        async Task AssertDialsAsAsync(string name)
        {
            Assert.StartsWith("HTTP/1.1 404 ", await run.AskAsync(Get), StringComparison.Ordinal);
            await broker.Logs.WaitForAsync(
                record => record.Event.Name == "DialEnded" && record.Message.Contains($"({name})", StringComparison.Ordinal), $"a dial of {name}");
        }
    }

    [Fact]
    public async Task In_one_process_the_files_of_the_broker_are_read_again_too()
    {
        using var logs = new CapturedLogs();
        var files = TestCertificates.Shared.WriteFiles(_folder.FullName);
        var options = new ProxyProgramOptions { WhipExternalTcpAddress = "127.0.0.1", WhipTcpListenPort = 0, WhipGrpcListenPort = 0 };
        (options.Proxy.ListenPort, options.Proxy.Tls) = (0, files);
        var registry = Metrics.NewCustomRegistry();
        await using IWhipProgram program = OneProcess.Create(options, new ProgramContext(logs, registry, DescriptorBudget.OfProcess(registry), _time));
        await program.StartAsync(CancellationToken.None);
        TestCertificates.Replace(files, TestCertificates.Shared.Issue(Certificates.BrokerLeaf()));
        program.Reload();
        Assert.Contains(files.CertPath!, (await logs.WaitForAsync("CertificateTaken")).Message, StringComparison.Ordinal);
    }

    private static void Reload(WhipProxy proxy) => ((IWhipProgram)proxy).Reload();

    private async Task<(ProxyRun Run, WhipTlsOptions Files)> StartWithTlsAsync(Service service)
    {
        var files = new WhipTlsOptions();
        var run = await ProxyRun.StartAsync(
            service, tls: true, time: _time, configure: options => (files.CertPath, files.KeyPath) = (options.ServerCertPath, options.ServerKeyPath));
        return (run, files);
    }
}
