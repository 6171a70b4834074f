using System.Diagnostics;
using Whip.Harness.Programs;

namespace Whip.Bench.Measuring;

/// <summary>The time in which something is counted, and the processor time each program used in it.</summary>
internal sealed class Window
{
    private readonly WhipProcess[] _programs;
    private readonly TimeSpan[] _before;
    private TimeSpan[] _after = [];

    public Window(params WhipProcess[] programs)
    {
        _programs = programs;
        _before = Array.ConvertAll(programs, p => p.ProcessorTime);
        Opened = Stopwatch.GetTimestamp();
    }

    public long Opened { get; }

    public long Closed { get; private set; }

    public double Seconds => Stopwatch.GetElapsedTime(Opened, Closed).TotalSeconds;

    public void Close()
    {
        Closed = Stopwatch.GetTimestamp();
        _after = Array.ConvertAll(_programs, p => p.ProcessorTime);
    }

    public IEnumerable<(string Program, TimeSpan ProcessorTime)> Used() => _programs.Select((p, i) => (p.Part, _after[i] - _before[i]));
}
