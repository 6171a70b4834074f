using Whip.Hosting.Files;
using Whip.Protocol.Policy;

namespace Whip.Broker.Dialing;

/// <summary>The policy in force.</summary>
internal sealed partial class DialPolicyFile : ILiveFile
{
    private readonly string? _path;
    private readonly ILogger _logger;
    private readonly LiveFile<DialPolicy>? _file;

    /// <exception cref="WhipOptionException">The file is missing or not valid.</exception>
    public DialPolicyFile(string? path, ILogger logger)
    {
        _path = path;
        _logger = logger;
        if (path is null)
        {
            LogNoPolicy(logger);
            return;
        }

        try
        {
            _file = new LiveFile<DialPolicy>([path], () => DialPolicy.Parse(File.ReadAllText(path)));
            LogLoaded(logger, path, Current.Rules.Count);
        }
        catch (Exception error) when (error is FormatException or IOException or UnauthorizedAccessException)
        {
            const string Hint = "a JSON array of {\"dialer\", \"name\", \"ports\", \"allow\"}";
            throw new WhipOptionException(nameof(WhipBrokerOptions.DialPolicyPath), path, error.Message, Hint);
        }
    }

    public DialPolicy Current => _file?.Value ?? DialPolicy.AllowAll;

    public string Kind => "policy";

    public string? Problem => _file?.Problem;

    public void Look(bool atOnce)
    {
        switch (_file?.Look(atOnce))
        {
            case FileChange.Taken:
                LogLoaded(_logger, _path!, Current.Rules.Count);
                break;
            case FileChange.Refused:
                LogRefused(_logger, _path!, Problem!);
                break;
        }
    }

    [LoggerMessage(130, LogLevel.Warning, "no --dial-policy: every certificate of the CA may dial everything", EventName = "NoPolicy")]
    private static partial void LogNoPolicy(ILogger logger);

    [LoggerMessage(131, LogLevel.Information, "dial policy {Path} is in force with {Rules} rules", EventName = "PolicyLoaded")]
    private static partial void LogLoaded(ILogger logger, string path, int rules);

    [LoggerMessage(132, LogLevel.Warning, "dial policy {Path} is refused and the one before it stays: {Problem}", EventName = "PolicyRefused")]
    private static partial void LogRefused(ILogger logger, string path, string problem);
}
