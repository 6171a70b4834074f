using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Whip.Hosting.Files;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Proxy.Clients;

/// <summary>The CAs of an https target, as their file is now.</summary>
internal sealed class TargetCas : ILiveFile
{
    private readonly string? _path;
    private readonly ILogger _logger;
    private readonly LiveFile<X509Certificate2Collection>? _file;

    /// <exception cref="WhipOptionException">The file cannot be used.</exception>
    public TargetCas(string? path, ILogger logger)
    {
        (_path, _logger) = (path, logger);
        _file = path is null ? null
            : new LiveFile<X509Certificate2Collection>([path], () => PemFiles.LoadCertificates(nameof(WhipProxyOptions.TargetCaCertPath), path));
    }

    /// <summary>Null without a file: those of the system.</summary>
    public X509Certificate2Collection? Current => _file?.Value;

    public string Kind => "target-ca";

    public string? Problem => _file?.Problem;

    public void Look(bool atOnce)
    {
        switch (_file?.Look(atOnce))
        {
            case FileChange.Taken:
                LiveFileLog.CasTaken(_logger, _path!, Current!.Count);
                break;
            case FileChange.Refused:
                LiveFileLog.CasRefused(_logger, _path!, Problem!);
                break;
        }
    }
}
