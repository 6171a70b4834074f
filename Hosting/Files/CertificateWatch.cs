using Microsoft.Extensions.Logging;
using Prometheus;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Files;

/// <summary>A certificate that a program shows: read again when it changes, with its end in a metric and, ahead of it, in the log.</summary>
/// <param name="owner">As in the name of the metric: the program, or what shows it there.</param>
/// <param name="certificate">Null: there is none, because what would show it runs without TLS.</param>
/// <param name="registry">Has the metric.</param>
/// <param name="logger">Gets the warnings.</param>
/// <param name="time">The end is compared with it.</param>
internal sealed class CertificateWatch(string owner, IShownCertificate? certificate, CollectorRegistry registry, ILogger logger, TimeProvider time) : ILiveFile
{
    /// <summary>How long ahead its end is told.</summary>
    private static readonly TimeSpan[] Ahead = [TimeSpan.FromDays(7), TimeSpan.FromDays(1), TimeSpan.FromHours(1), TimeSpan.Zero];

    private readonly Gauge _notAfter = Prometheus.Metrics.WithCustomRegistry(registry).CreateGauge(
        $"whip_{owner}_certificate_not_after_seconds", "When the certificate expires, in Unix time.");

    private int _warned;

    public string Kind { get; init; } = "certificates";

    public string? Problem => certificate?.Problem;

    public bool HasExpired => certificate is not null && certificate.Names.NotAfter <= time.GetUtcNow();

    public void Look(bool atOnce)
    {
        if (certificate is null)
        {
            return;
        }

        switch (certificate.Look(atOnce))
        {
            case FileChange.Taken:
                _warned = 0;
                LiveFileLog.CertificateTaken(logger, certificate.FilePath, $"{certificate.Names}", certificate.Names.NotAfter);
                break;
            case FileChange.Refused:
                LiveFileLog.CertificateRefused(logger, certificate.FilePath, certificate.Problem!);
                break;
        }

        _notAfter.Set(certificate.Names.NotAfter.ToUnixTimeSeconds());
        WarnAhead(certificate);
    }

    /// <summary>A certificate that lives for less than twice the time ahead would always be warned of.</summary>
    private void WarnAhead(IShownCertificate shown)
    {
        var end = shown.Names.NotAfter;
        var life = end - shown.Certificate.NotBefore;
        var remaining = end - time.GetUtcNow();
        var due = Ahead.Count(ahead => remaining <= ahead && ahead < life / 2);
        if (due <= _warned)
        {
            return;
        }

        _warned = due;
        if (remaining > TimeSpan.Zero)
        {
            LiveFileLog.CertificateEnds(logger, shown.FilePath, $"{shown.Names}", end);
        }
        else
        {
            LiveFileLog.CertificateEnded(logger, shown.FilePath, $"{shown.Names}", end);
        }
    }
}
