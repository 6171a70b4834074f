namespace Whip.Bench.Measuring;

/// <summary>The period in which something is counted, and the processor time that each program used in it.</summary>
internal sealed class Window
{
    private readonly WhipProcess[] _programs;
    private readonly TimeSpan[] _before;
    private readonly long _opened;
    private TimeSpan[] _after = [];
    private long _closed;

    public Window(params WhipProcess[] programs)
    {
        _programs = programs;
        _before = Array.ConvertAll(programs, p => LinuxProcess.ProcessorTime(p.Id));
        _opened = Stopwatch.GetTimestamp();
    }

    public double Seconds => Stopwatch.GetElapsedTime(_opened, _closed).TotalSeconds;

    public bool Contains(long timestamp) => timestamp >= _opened && timestamp <= _closed;

    public void Close()
    {
        _closed = Stopwatch.GetTimestamp();
        _after = Array.ConvertAll(_programs, p => LinuxProcess.ProcessorTime(p.Id));
    }

    public IEnumerable<(string Program, TimeSpan ProcessorTime)> Used() => _programs.Select((p, i) => (p.Part, _after[i] - _before[i]));
}
