using System.Net;
using System.Net.Sockets;
using Whip.Agent;
using Whip.Hosting.Programs;

namespace Whip.Tests.Agent;

/// <summary>The deny list of a real agent at a real broker.</summary>
public sealed class DenyTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly TcpListener _service = new(IPAddress.Loopback, 0);
    private readonly CapturedLogs _agentLogs = new();
    private TestBroker _broker = null!;
    private WhipAgent _agent = null!;

    private string Target => $"a.testdom:{((IPEndPoint)_service.LocalEndpoint).Port}";

    public async Task InitializeAsync()
    {
        _service.Start();
        _broker = await TestBroker.StartAsync(tls: true);
        var files = TestCertificates.Shared.WriteClientFiles(_folder.FullName, "a.testdom");
        files.DenyPath = _folder.Write("deny", "");
        _agent = await RealAgent.StartAsync(_broker, ((IPEndPoint)_service.LocalEndpoint).Port, files, _agentLogs);
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
    [InlineData("localhost")]
    [InlineData("ID")]
    public async Task A_broker_that_the_agent_denies_loses_its_stream_and_gets_none_until_it_is_no_longer_denied(string entry)
    {
        Deny(entry == "ID" ? TestCertificates.Shared.BrokerIdentity.Names.Id! : entry);
        await WaitForLostAsync("the broker's certificate (localhost, 127.0.0.1, ::1) is on the agent's deny list");
        await WaitForLostAsync("the certificate (localhost, 127.0.0.1, ::1) is on the deny list");
        await Patience.UntilAsync(() => !_agent.IsReady, "the end of the stream");
        await Patience.UntilAsync(() => _broker.Parts.Streams.Count == 0, "its end at the broker");

        Deny("");
        await Patience.UntilAsync(() => _agent.IsReady, "the registration");
    }

    [Theory]
    [InlineData("DIALER.testdom.")]
    [InlineData("ID")]
    public async Task A_dialer_that_the_agent_denies_loses_its_relay_and_is_refused_and_others_are_not(string entry)
    {
        await using var dialer = await _broker.BeginDialAsync(Target);
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer).WaitAsync(Patience.Long));
        var (other, head) = await _broker.SendAsync($"CONNECT {Target} HTTP/1.1\r\n\r\n", "other.testdom");
        await using var kept = other;
        Assert.StartsWith("HTTP/1.1 200 ", head);
        Deny(entry == "ID" ? TestCertificates.Shared.ClientIdentity("dialer.testdom").Names.Id! : entry);
        await Assert.ThrowsAsync<IOException>(() => dialer.ReadExactlyAsync(1)).WaitAsync(Patience.Long);

        var answer = await _broker.RefusedAsync(Target);
        Assert.StartsWith("HTTP/1.1 502 ", answer);
        Assert.Contains("a.testdom: dialer: denied", answer);
        Assert.Contains("dialer: denied", (await _agentLogs.WaitForAsync("Refused")).Message);
        Assert.Equal(1, _agent.OpenRelays);
        Assert.True(_agent.IsReady);
    }

    private void Deny(string entry)
    {
        _folder.Write("deny", entry);
        ((IWhipProgram)_agent).Reload();
    }

    private Task<CapturedRecord> WaitForLostAsync(string why) => _agentLogs.WaitForAsync(
        record => record.Event.Name == "Lost" && record.Message.Contains(why, StringComparison.Ordinal), why);
}
