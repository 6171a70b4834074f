using Whip.Protocol.Policy;

namespace Whip.Broker.Policy;

/// <summary>
/// The policy in force. The file is read once a second, because change notifications miss the links that an orchestrator replaces. A file that
/// is not valid is refused with a log line, and the old policy stays.
/// </summary>
internal sealed partial class DialPolicyFile
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly string? _path;
    private readonly ILogger _logger;
    private volatile DialPolicy _current = DialPolicy.AllowAll;
    private string _text = "";
    private string _problem = "";

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
            Load(File.ReadAllText(path));
        }
        catch (Exception error) when (error is FormatException or IOException or UnauthorizedAccessException)
        {
            const string Hint = "a JSON array of {\"dialer\", \"name\", \"ports\", \"allow\"}";
            throw new WhipOptionException(nameof(WhipBrokerOptions.DialPolicyPath), path, error.Message, Hint);
        }
    }

    public DialPolicy Current => _current;

    public async Task WatchAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        if (_path is null)
        {
            return;
        }

        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            await ReloadAsync(cancellationToken);
        }
    }

    private async Task ReloadAsync(CancellationToken cancellationToken)
    {
        try
        {
            var text = await File.ReadAllTextAsync(_path!, cancellationToken);
            if (text != _text)
            {
                Load(text);
            }

            _problem = "";
        }
        catch (Exception error) when (error is FormatException or IOException or UnauthorizedAccessException)
        {
            // The same problem is logged once.
            if (error.Message != _problem)
            {
                _problem = error.Message;
                LogRefused(_logger, _path!, error.Message);
            }
        }
    }

    private void Load(string text)
    {
        _text = text;
        _current = DialPolicy.Parse(text);
        LogLoaded(_logger, _path!, _current.Rules.Count);
    }

    [LoggerMessage(130, LogLevel.Warning, "no --dial-policy: every certificate of the CA may dial everything", EventName = "NoPolicy")]
    private static partial void LogNoPolicy(ILogger logger);

    [LoggerMessage(131, LogLevel.Information, "dial policy {Path} is in force with {Rules} rules", EventName = "PolicyLoaded")]
    private static partial void LogLoaded(ILogger logger, string path, int rules);

    [LoggerMessage(132, LogLevel.Warning, "dial policy {Path} is refused and the one before it stays: {Problem}", EventName = "PolicyRefused")]
    private static partial void LogRefused(ILogger logger, string path, string problem);
}
