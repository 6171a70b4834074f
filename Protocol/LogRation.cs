namespace Whip.Protocol;

/// <summary>
/// Limits the log lines about something that others can cause: the first few of a minute are written, and one line at its end counts the others.
/// </summary>
internal sealed class LogRation(int lines, Action<int> writeOthers, TimeProvider time)
{
    /// <summary>For refusals that a person looks for by the address of a client.</summary>
    public const int Named = 10;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private int _written;
    private int _others;
    private ITimer? _end;

    /// <summary>Whether to write the line; if not, it is counted.</summary>
    public bool Take()
    {
        lock (_lock)
        {
            if (_end is null)
            {
                (_written, _others) = (0, 0);
                _end = time.CreateTimer(_ => End(), null, Interval, Timeout.InfiniteTimeSpan);
            }

            if (_written < lines)
            {
                _written++;
                return true;
            }

            _others++;
            return false;
        }
    }

    private void End()
    {
        int others;
        lock (_lock)
        {
            _end!.Dispose();
            _end = null;
            others = _others;
        }

        if (others > 0)
        {
            writeOthers(others);
        }
    }
}
