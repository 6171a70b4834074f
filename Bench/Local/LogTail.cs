namespace Whip.Bench.Local;

/// <summary>The last lines of a program's log, and all of them in a file if one is named.</summary>
internal sealed class LogTail(string? path = null) : IDisposable
{
    private const int Capacity = 20;

    private readonly Queue<string> _lines = new(Capacity);

    // A broker that was killed and the one after it may write at the same time.
    private readonly StreamWriter? _file = path is null ? null
        : new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    public void Add(string line)
    {
        lock (_lines)
        {
            if (_lines.Count == Capacity)
            {
                _lines.Dequeue();
            }

            _lines.Enqueue(line);
            _file?.WriteLine(line);
        }
    }

    public void Dispose() => _file?.Dispose();
}
