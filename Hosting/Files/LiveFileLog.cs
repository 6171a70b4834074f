using Microsoft.Extensions.Logging;

namespace Whip.Hosting.Files;

internal static partial class LiveFileLog
{
    [LoggerMessage(
        70, LogLevel.Information,
        "the certificate {Path} ({Names}, valid to {NotAfter:u}) and the files that belong to it were read again; new connections use them")]
    public static partial void CertificateTaken(ILogger logger, string path, string names, DateTimeOffset notAfter);

    [LoggerMessage(
        71, LogLevel.Warning,
        "the certificate {Path} or a file that belongs to it has changed, but is refused, and those before them stay in use: {Problem}")]
    public static partial void CertificateRefused(ILogger logger, string path, string problem);

    [LoggerMessage(
        72, LogLevel.Warning, "the certificate {Path} ({Names}) expires on {NotAfter:u}; write a new one to the same files, no restart is needed")]
    public static partial void CertificateEnds(ILogger logger, string path, string names, DateTimeOffset notAfter);

    [LoggerMessage(73, LogLevel.Error, "the certificate {Path} ({Names}) expired on {NotAfter:u}: peers refuse it; write a new one to the same files")]
    public static partial void CertificateEnded(ILogger logger, string path, string names, DateTimeOffset notAfter);

    [LoggerMessage(74, LogLevel.Information, "deny list {Path} is in force with {Entries} entries; connections of certificates that it matches are ended")]
    public static partial void DenyTaken(ILogger logger, string path, int entries);

    [LoggerMessage(75, LogLevel.Warning, "deny list {Path} is refused and the one before it stays: {Problem}")]
    public static partial void DenyRefused(ILogger logger, string path, string problem);

    [LoggerMessage(76, LogLevel.Information, "the CAs {Path} were read again, {Certificates} certificates; new connections are judged by them")]
    public static partial void CasTaken(ILogger logger, string path, int certificates);

    [LoggerMessage(77, LogLevel.Warning, "the CAs {Path} are refused and those before them stay: {Problem}")]
    public static partial void CasRefused(ILogger logger, string path, string problem);
}
