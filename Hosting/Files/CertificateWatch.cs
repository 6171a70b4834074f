using Microsoft.Extensions.Logging;
using Prometheus;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Files;

/// <summary>The certificate that a program shows: read again when it changes, with its end in a metric and, ahead of it, in the log.</summary>
/// <param name="program">As in the names of metrics.</param>
/// <param name="identity">Null: the program runs without TLS.</param>
/// <param name="registry">Has the metric.</param>
/// <param name="logger">Gets the warnings.</param>
/// <param name="time">The end is compared with it.</param>
internal sealed class CertificateWatch(string program, TlsIdentity? identity, CollectorRegistry registry, ILogger logger, TimeProvider time) : ILiveFile
{
    /// <summary>How long ahead its end is told.</summary>
    private static readonly TimeSpan[] Ahead = [TimeSpan.FromDays(7), TimeSpan.FromDays(1), TimeSpan.FromHours(1), TimeSpan.Zero];

    private readonly Gauge _notAfter = Prometheus.Metrics.WithCustomRegistry(registry).CreateGauge(
        $"whip_{program}_certificate_not_after_seconds", "When the certificate expires, in Unix time.");

    private int _warned;

    public string Kind => "certificates";

    public string? Problem => identity?.Problem;

    public bool HasExpired => identity is not null && identity.NotAfter <= time.GetUtcNow();

    public void Look(bool atOnce)
    {
        if (identity is null)
        {
            return;
        }

        switch (identity.Look(atOnce))
        {
            case FileChange.Taken:
                _warned = 0;
                LiveFileLog.CertificateTaken(logger, $"{identity.Names}", identity.NotAfter);
                break;
            case FileChange.Refused:
                LiveFileLog.CertificateRefused(logger, identity.Problem!);
                break;
        }

        _notAfter.Set(identity.NotAfter.ToUnixTimeSeconds());
        WarnAhead(identity);
    }

    /// <summary>A certificate that lives for less than twice the time ahead would always be warned of.</summary>
    private void WarnAhead(TlsIdentity shown)
    {
        var life = shown.NotAfter - shown.Certificate.NotBefore;
        var remaining = shown.NotAfter - time.GetUtcNow();
        var due = Ahead.Count(ahead => remaining <= ahead && ahead < life / 2);
        if (due <= _warned)
        {
            return;
        }

        _warned = due;
        if (remaining > TimeSpan.Zero)
        {
            LiveFileLog.CertificateEnds(logger, $"{shown.Names}", shown.NotAfter);
        }
        else
        {
            LiveFileLog.CertificateEnded(logger, $"{shown.Names}", shown.NotAfter);
        }
    }
}
