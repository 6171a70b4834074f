using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Whip.Agent;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Tests.Broker;

/// <summary>Certificates that end or are replaced while a real broker and a real agent use them.</summary>
public sealed class LiveCertificateTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly TcpListener _service = new(IPAddress.Loopback, 0);
    private readonly CapturedLogs _agentLogs = new();
    private TestBroker _broker = null!;
    private WhipTlsOptions _brokerFiles = null!;
    private WhipAgent? _agent;
    private string _denyPath = "";

    private int Port => ((IPEndPoint)_service.LocalEndpoint).Port;

    private string Target => $"a.testdom:{Port}";

    public async Task InitializeAsync()
    {
        _service.Start();
        _denyPath = _folder.Write("deny", "");
        _broker = await TestBroker.StartAsync(tls: true, options => (_brokerFiles, options.Tls.DenyPath) = (options.Tls, _denyPath));
    }

    public async Task DisposeAsync()
    {
        await (_agent?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _broker.DisposeAsync();
        _agentLogs.Dispose();
        _service.Stop();
        _folder.Dispose();
    }

    [Fact]
    public async Task An_agent_whose_certificate_expires_loses_its_stream_for_that_reason_and_is_not_ready()
    {
        _agentLogs.Expect("CertificateEnded");
        await StartAgentAsync(Leaf(InSeconds(4)));
        var detached = await _broker.Logs.WaitForAsync("Detached");
        Assert.Contains("PermissionDenied the agent's certificate (a.testdom) expired on 20", detached.Message);
        var lost = await _agentLogs.WaitForAsync("Lost");
        Assert.Contains("the agent's certificate (a.testdom) expired on 20", lost.Message);
        await _agentLogs.WaitForAsync("CertificateEnded");
        Assert.False(_agent!.IsReady);
        Assert.StartsWith("HTTP/1.1 404 ", await _broker.RefusedAsync(Target));
    }

    [Fact]
    public async Task A_renewed_certificate_is_used_before_the_old_one_ends_and_no_dial_fails()
    {
        var end = InSeconds(6);
        var options = await StartAgentAsync(Leaf(end));
        TestCertificates.Replace(options, Leaf(DateTimeOffset.UtcNow.AddDays(1)));
        while (DateTimeOffset.UtcNow < end.AddSeconds(2))
        {
            await AssertDialledAsync();
            Assert.True(_agent!.IsReady);
        }

        await _agentLogs.WaitForAsync("CertificateTaken");
        await _agentLogs.WaitForAsync("Renewed");
        Assert.True(_broker.Parts.Streams.All.Single().Peer!.NotAfter > end);
        Assert.DoesNotContain(_agentLogs.Records, record => record.Event.Name == "Lost");
    }

    [Theory]
    [InlineData("a.testdom")]
    [InlineData("ID")]
    public async Task A_denied_agent_loses_its_stream_and_its_relays_at_once_and_is_refused(string entry)
    {
        await StartAgentAsync(Leaf(DateTimeOffset.UtcNow.AddDays(1)));
        await using var dialer = await _broker.BeginDialAsync(Target);
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
        Deny(entry == "ID" ? _broker.Parts.Streams.All.Single().Peer!.Id! : entry);
        await Assert.ThrowsAsync<IOException>(() => dialer.ReadExactlyAsync(1)).WaitAsync(Patience.Long);
        Assert.Contains("is on the broker's deny list", (await _broker.Logs.WaitForAsync("Detached")).Message);
        Assert.Contains("(a.testdom) is on the deny list", (await _broker.Logs.WaitForAsync("Refused")).Message);
        Assert.StartsWith("HTTP/1.1 404 ", await _broker.RefusedAsync(Target));
        Deny("nobody");
        await Patience.UntilAsync(() => _agent!.IsReady, "the registration");
    }

    [Fact]
    public async Task A_denied_dialer_loses_its_relay_at_once_and_others_keep_theirs()
    {
        await StartAgentAsync(Leaf(DateTimeOffset.UtcNow.AddDays(1)));
        await using var dialer = await _broker.BeginDialAsync(Target);
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
        Deny("DIALER.testdom.  # a comment");
        await Assert.ThrowsAsync<IOException>(() => dialer.ReadExactlyAsync(1)).WaitAsync(Patience.Long);
        await Assert.ThrowsAsync<IOException>(() => _broker.RefusedAsync(Target));
        Assert.Contains("(dialer.testdom) is on the deny list", (await _broker.Logs.WaitForAsync("LegRefused")).Message);
        Assert.True(_agent!.IsReady);
    }

    [Fact]
    public async Task A_bad_file_is_refused_until_it_is_mended_and_the_old_certificate_stays()
    {
        await StartAgentAsync(Leaf(DateTimeOffset.UtcNow.AddDays(1)));
        var good = File.ReadAllText(_brokerFiles.CertPath!);
        File.WriteAllText(_brokerFiles.CertPath!, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        Assert.Contains("holds a damaged certificate", (await _broker.Logs.WaitForAsync("CertificateRefused")).Message);
        Assert.Contains("whip_broker_reload_refused{file=\"certificates\"} 1\n", await _broker.ScrapeAsync());
        await AssertDialledAsync();

        File.WriteAllText(_brokerFiles.CertPath!, good);
        await _broker.Logs.WaitForAsync("CertificateTaken");
        Assert.Contains("whip_broker_reload_refused{file=\"certificates\"} 0\n", await _broker.ScrapeAsync());
    }

    [Fact]
    public async Task A_broker_whose_certificate_does_not_cover_its_external_address_does_not_start()
    {
        var error = await Assert.ThrowsAsync<WhipOptionException>(
            () => TestBroker.StartAsync(tls: true, options => options.ExternalTcp = "broker.example:8000"));
        Assert.Contains("but not broker.example, where agents bring their legs (ExternalTcp); ", error.Message);
        Assert.Contains("; try whip pki createandsign server --dns-names broker.example, or ", error.Message);
    }

    [Fact]
    public async Task A_renewed_certificate_of_the_broker_is_shown_at_once_and_told_by_the_metric()
    {
        var end = TestCertificates.InWholeSeconds(DateTimeOffset.UtcNow.AddDays(20));
        TestCertificates.Replace(_brokerFiles, TestCertificates.Shared.Issue(Certificates.BrokerLeaf() with { NotAfter = end }));
        _broker.Parts.Files.Look(atOnce: true);
        Assert.Contains($"whip_broker_certificate_not_after_seconds {end.ToUnixTimeSeconds()}\n", await _broker.ScrapeAsync());
        await using var leg = await _broker.ConnectAsync();
        Assert.Equal(end, leg.Peer!.NotAfter);
    }

    private void Deny(string entry)
    {
        File.WriteAllText(_denyPath, entry);
        _broker.Parts.Files.Look(atOnce: true);
    }

    private static DateTimeOffset InSeconds(int seconds) => TestCertificates.InWholeSeconds(DateTimeOffset.UtcNow.AddSeconds(seconds));

    private static X509Certificate2 Leaf(DateTimeOffset notAfter) =>
        TestCertificates.Shared.Issue(Certificates.ClientLeaf("a.testdom") with { NotAfter = notAfter });

    private async Task<WhipTlsOptions> StartAgentAsync(X509Certificate2 leaf)
    {
        var files = TestCertificates.Shared.WriteClientFiles(_folder.FullName, "a.testdom");
        TestCertificates.Replace(files, leaf);
        _agent = await RealAgent.StartAsync(_broker, Port, files, _agentLogs);
        return files;
    }

    private async Task AssertDialledAsync()
    {
        await using var dialer = await _broker.BeginDialAsync(Target);
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
        using var served = await _service.AcceptSocketAsync().WaitAsync(Patience.Long);
    }
}
