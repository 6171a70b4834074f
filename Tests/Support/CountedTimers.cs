using System.Collections.Concurrent;

namespace Whip.Tests.Support;

/// <summary>Time that stands still until a test moves it; shows which timers were made and how often a running one was set anew.</summary>
internal sealed class CountedTimers : FakeTimeProvider
{
    private readonly ConcurrentQueue<TimeSpan> _dueTimes = new();
    private int _restarts;

    public int Restarts => Volatile.Read(ref _restarts);

    /// <summary>Completes when a timer that is due after exactly this time has been made.</summary>
    public Task UntilTimerAsync(TimeSpan dueTime) => Patience.UntilAsync(() => _dueTimes.Contains(dueTime), $"a timer of {dueTime}");

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Counted(this, base.CreateTimer(callback, state, dueTime, period));
        _dueTimes.Enqueue(dueTime);
        return timer;
    }

    private sealed class Counted(CountedTimers time, ITimer inner) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var changed = inner.Change(dueTime, period);
            Interlocked.Increment(ref time._restarts);
            return changed;
        }

        public void Dispose() => inner.Dispose();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
