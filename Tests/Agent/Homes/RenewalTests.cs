using Whip.Protocol.Tls;

namespace Whip.Tests.Agent.Homes;

public sealed class RenewalTests : AgentTest
{
    [Fact]
    public async Task A_stream_whose_brokers_certificate_is_about_to_end_is_renewed_and_none_is_lost()
    {
        using var folder = new TempFolder();
        var certificates = TestCertificates.Shared;
        var end = TestCertificates.InWholeSeconds(DateTimeOffset.UtcNow.AddHours(1));
        var files = certificates.WriteFiles(folder.FullName, "broker", certificates.Identity(Certificates.BrokerLeaf() with { NotAfter = end }));
        var identity = TlsIdentity.Load(files);
        var broker = await StartBrokerAsync(identity: identity);

        // To the agent the end is near.
        var time = new FakeTimeProvider(end.AddSeconds(-11));
        await StartAgentAsync([$"127.0.0.1:{broker.Grpc.Port}"], tls: true, time: time);
        var old = await broker.RegisterAsync();
        await Logs.WaitForAsync("Attached");
        TestCertificates.Replace(files, certificates.Issue(Certificates.BrokerLeaf()));
        identity.Look(atOnce: true);

        var next = broker.RegisterAsync();
        await time.AdvanceUntilAsync(() => next.IsCompleted, "a second stream", atMost: TimeSpan.FromSeconds(10));
        await Logs.WaitForAsync("Renewed");
        await old.DetachedAsync();
        Assert.True(time.GetUtcNow() < end);
        Assert.DoesNotContain(Logs.Records, record => record.Event.Name == "Lost");
    }
}
