using System.Net;
using System.Net.Sockets;
using System.Text;
using Whip.Agent;
using Whip.Hosting.Programs;
using Whip.Protocol.Legs;
using Whip.Protocol.Tls;

namespace Whip.Tests.Broker;

/// <summary>
/// The control stream of a real agent stands, and the broker refuses its legs: the dial fails at once, and the reason is in its answer and in the logs of
/// both. The agent's clock stands, ten minutes late, so that it looks at its files only when told to, and takes a certificate that has ended since.
/// </summary>
public sealed class RefusedLegTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly TcpListener _service = new(IPAddress.Loopback, 0);
    private readonly CapturedLogs _agentLogs = new();
    private TestBroker _broker = null!;
    private WhipAgent _agent = null!;
    private WhipTlsOptions _brokerFiles = null!;
    private WhipTlsOptions _agentFiles = null!;

    private string Target => $"a.testdom:{((IPEndPoint)_service.LocalEndpoint).Port}";

    public async Task InitializeAsync()
    {
        _service.Start();
        _broker = await TestBroker.StartAsync(tls: true, options =>
        {
            _brokerFiles = options.Tls;
            _brokerFiles.DenyPath = _folder.Write("deny", "");
        });
        _agentFiles = TestCertificates.Shared.WriteClientFiles(_folder.FullName, "a.testdom");
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow.AddMinutes(-10));
        _agent = await RealAgent.StartAsync(_broker, ((IPEndPoint)_service.LocalEndpoint).Port, _agentFiles, _agentLogs, time);
    }

    public async Task DisposeAsync()
    {
        await _agent.DisposeAsync();
        await _broker.DisposeAsync();
        _agentLogs.Dispose();
        _service.Stop();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("expired", "the certificate (a.testdom) is valid from ")]
    [InlineData("of another CA", "the certificate (a.testdom) of the issuer CN=other CA was not issued by our CA")]
    [InlineData("denied", "the certificate (a.testdom) is on the deny list")]
    public async Task A_leg_with_a_certificate_that_is_refused_fails_its_dial_and_the_reason_is_at_both_ends(string certificate, string why)
    {
        var certificates = TestCertificates.Shared;
        var leaf = certificate switch
        {
            "expired" => certificates.Issue(Certificates.ClientLeaf("a.testdom") with { NotAfter = DateTimeOffset.UtcNow.AddMinutes(-1) }),
            "of another CA" => certificates.OtherCaClientIdentity("a.testdom").Certificate,
            _ => certificates.Issue(Certificates.ClientLeaf("a.testdom")),
        };
        if (certificate == "denied")
        {
            _folder.Write("deny", PeerIdentity.FromLeaf(leaf).Id!);
            _broker.Parts.Files.Look(atOnce: true);
        }

        TestCertificates.Replace(_agentFiles, leaf);
        ((IWhipProgram)_agent).Reload();
        await AssertRefusedAsync(why, certificates.ClientIdentity("d.dialers"));
    }

    [Fact]
    public async Task So_does_one_after_the_broker_has_come_to_trust_another_CA()
    {
        File.WriteAllText(_brokerFiles.CaCertPath!, TestCertificates.OtherCaRoots[0].ExportCertificatePem());
        _broker.Parts.Files.Look(atOnce: true);
        await AssertRefusedAsync(
            "the certificate (a.testdom) of the issuer CN=test CA was not issued by our CA", TestCertificates.Shared.OtherCaClientIdentity("d.dialers"));
    }

    private async Task AssertRefusedAsync(string why, TlsIdentity identity)
    {
        await using var dialer = await Leg.ConnectAsync(_broker.Broker.DialEndPoint!, default);
        await dialer.AuthenticateAsClientAsync(identity, "127.0.0.1", default).WaitAsync(Patience.Long);
        await dialer.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {Target} HTTP/1.1\r\nWhip-Deadline: 60000\r\n\r\n"));
        Assert.StartsWith("HTTP/1.1 502 ", await TestBroker.ReadHeadAsync(dialer).WaitAsync(Patience.Long));
        Assert.Contains($"a.testdom: its leg was refused: {why}", Encoding.ASCII.GetString(await dialer.ReadToEndAsync()));
        Assert.Contains(why, (await _broker.Logs.WaitForAsync("LegRefused")).Message);
        Assert.Contains($"the broker refused the leg of a connect: {why}", (await _agentLogs.WaitForAsync("LegRefused")).Message);
        Assert.True(_agent.IsReady);
    }
}
