namespace Whip.Bench.Measuring;

/// <summary>The period in which something is counted, and the processor time that each process used in it.</summary>
internal sealed class Window(params (string Part, int Id)[] processes)
{
    private TimeSpan[] _before = [];
    private TimeSpan[] _after = [];
    private long _opened;
    private long _closed;

    public double Seconds => Stopwatch.GetElapsedTime(_opened, _closed).TotalSeconds;

    public bool Contains(long timestamp) => timestamp >= _opened && timestamp <= _closed;

    public void Open()
    {
        _before = Read();
        _opened = Stopwatch.GetTimestamp();
    }

    public void Close()
    {
        _closed = Stopwatch.GetTimestamp();
        _after = Read();
    }

    public IEnumerable<(string Program, TimeSpan ProcessorTime)> Used() => processes.Select((p, i) => (p.Part, _after[i] - _before[i]));

    private TimeSpan[] Read() => Array.ConvertAll(processes, p => LinuxProcess.ProcessorTime(p.Id));
}
