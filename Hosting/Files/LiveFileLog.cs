using Microsoft.Extensions.Logging;

namespace Whip.Hosting.Files;

internal static partial class LiveFileLog
{
    [LoggerMessage(70, LogLevel.Information, "the certificate ({Names}, valid to {NotAfter:u}), its key and the CAs were read again; new connections use them")]
    public static partial void CertificateTaken(ILogger logger, string names, DateTimeOffset notAfter);

    [LoggerMessage(71, LogLevel.Warning, "the certificate files have changed, but are refused, and those before them stay in use: {Problem}")]
    public static partial void CertificateRefused(ILogger logger, string problem);

    [LoggerMessage(72, LogLevel.Warning, "the certificate ({Names}) expires on {NotAfter:u}; write a new one to the same files, no restart is needed")]
    public static partial void CertificateEnds(ILogger logger, string names, DateTimeOffset notAfter);

    [LoggerMessage(73, LogLevel.Error, "the certificate ({Names}) expired on {NotAfter:u}: peers refuse it; write a new one to the same files")]
    public static partial void CertificateEnded(ILogger logger, string names, DateTimeOffset notAfter);

    [LoggerMessage(74, LogLevel.Information, "deny list {Path} is in force with {Entries} entries; connections of certificates that it matches are ended")]
    public static partial void DenyTaken(ILogger logger, string path, int entries);

    [LoggerMessage(75, LogLevel.Warning, "deny list {Path} is refused and the one before it stays: {Problem}")]
    public static partial void DenyRefused(ILogger logger, string path, string problem);
}
