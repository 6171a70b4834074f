using Microsoft.Extensions.Logging;
using Whip.Hosting.Files;
using Whip.Protocol.Tls;

namespace Whip.Tests.Hosting.Files;

public sealed class CertificateWatchTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly CapturedLogs _logs = new();

    public void Dispose()
    {
        _logs.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void The_end_is_told_a_week_a_day_and_an_hour_ahead_once_each_and_when_it_has_come()
    {
        var files = TestCertificates.Shared.WriteFiles(_folder.FullName);
        var end = TestCertificates.InWholeSeconds(DateTimeOffset.UtcNow.AddDays(20));
        TestCertificates.Replace(files, TestCertificates.Shared.Issue(Certificates.BrokerLeaf() with { NotAfter = end }));
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var watch = new CertificateWatch(
            "broker", TlsIdentity.Load(files, time), Prometheus.Metrics.NewCustomRegistry(), ((ILoggerFactory)_logs).CreateLogger("test"), time);
        foreach (var (hours, told) in new[] { (8 * 24, 0), (7 * 24, 1), (25, 1), (24, 2), (2, 2), (1, 3) })
        {
            time.SetUtcNow(end.AddHours(-hours));
            watch.Look(atOnce: false);
            watch.Look(atOnce: false);
            Assert.Equal((hours, told, 0), (hours, Count("CertificateEnds"), Count("CertificateEnded")));
            Assert.False(watch.HasExpired);
        }

        _logs.Expect("CertificateEnded");
        time.SetUtcNow(end);
        watch.Look(atOnce: false);
        watch.Look(atOnce: false);
        Assert.Equal((3, 1), (Count("CertificateEnds"), Count("CertificateEnded")));
        Assert.True(watch.HasExpired);

        // The one that replaces it has warnings of its own.
        var next = end.AddDays(20);
        TestCertificates.Replace(files, TestCertificates.Shared.Issue(Certificates.BrokerLeaf() with { NotAfter = next }));
        watch.Look(atOnce: true);
        Assert.Equal((1, 3), (Count("CertificateTaken"), Count("CertificateEnds")));
        Assert.False(watch.HasExpired);
        time.SetUtcNow(next.AddDays(-7));
        watch.Look(atOnce: false);
        Assert.Equal((4, 1), (Count("CertificateEnds"), Count("CertificateEnded")));
    }

    private int Count(string eventName) => _logs.Records.Count(record => record.Event.Name == eventName);
}
