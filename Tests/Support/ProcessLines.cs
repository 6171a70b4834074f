namespace Whip.Tests.Support;

/// <summary>Reads one output of a process to its end, so that it never blocks, and keeps the lines.</summary>
internal sealed class ProcessLines
{
    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ProcessLines(StreamReader reader) => Ended = Task.Run(() => ReadAsync(reader));

    public Task Ended { get; }

    public IReadOnlyList<string> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>The first line that matches, or null when the output ended, or time is up, without one.</summary>
    public async Task<string?> FindAsync(Func<string, bool> matches)
    {
        var deadline = Task.Delay(Patience.Long);
        while (true)
        {
            var ended = Ended.IsCompleted || deadline.IsCompleted;
            Task more;
            lock (_gate)
            {
                if (_lines.Find(l => matches(l)) is { } line)
                {
                    return line;
                }

                more = _more.Task;
            }

            if (ended)
            {
                return null;
            }

            await Task.WhenAny(more, Ended, deadline);
        }
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_gate)
            {
                _lines.Add(line);
                _more.SetResult();
                _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }
}
