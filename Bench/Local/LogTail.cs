namespace Whip.Bench.Local;

/// <summary>The last lines of a program's log.</summary>
internal sealed class LogTail
{
    private const int Capacity = 20;

    private readonly Queue<string> _lines = new(Capacity);

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
        }
    }
}
