namespace Whip.Harness.Programs;

/// <summary>Reads one output of a process to its end, so that it never blocks, and keeps the last lines; all of them in a file if one is named.</summary>
internal sealed class ProcessLines
{
    // What a test looks at, and no more than some MiB of a broker that runs for hours.
    private const int Capacity = 10_000;

    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();
    private TaskCompletionSource _more = NewSource();
    private long _count;

    public ProcessLines(StreamReader reader, string? path = null) => Ended = Task.Run(() => ReadAsync(reader, path));

    public Task Ended { get; }

    /// <summary>How many lines there were, with those that are no longer kept.</summary>
    public long Count => Interlocked.Read(ref _count);

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
    public async Task<string?> FindAsync(Func<string, bool> matches, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var deadline = Task.Delay(timeout, cancellationToken);
        while (true)
        {
            var ended = Ended.IsCompleted || deadline.IsCompleted;
            Task more;
            lock (_gate)
            {
                if (_lines.FirstOrDefault(matches) is { } line)
                {
                    return line;
                }

                more = _more.Task;
            }

            cancellationToken.ThrowIfCancellationRequested();
            if (ended)
            {
                return null;
            }

            await Task.WhenAny(more, Ended, deadline);
        }
    }

    private async Task ReadAsync(StreamReader reader, string? path)
    {
        // A broker that was killed and the one after it may write at the same time.
        await using var file = path is null ? null
            : new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        while (await reader.ReadLineAsync() is { } line)
        {
            await (file?.WriteLineAsync(line) ?? Task.CompletedTask);
            lock (_gate)
            {
                if (_lines.Count == Capacity)
                {
                    _lines.Dequeue();
                }

                _lines.Enqueue(line);
                _count++;
                _more.SetResult();
                _more = NewSource();
            }
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
