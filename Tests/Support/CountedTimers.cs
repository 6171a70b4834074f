using System.Collections.Concurrent;

namespace Whip.Tests.Support;

/// <summary>Time that stands still until a test moves it; shows which timers were made and how often a running one was set anew.</summary>
internal sealed class CountedTimers : FakeTimeProvider
{
    private readonly ConcurrentQueue<TimeSpan> _dueTimes = new();
    private readonly ConcurrentQueue<TimeSpan> _restarts = new();

    public int Restarts => _restarts.Count;

    /// <summary>How often a timer was set anew to this time.</summary>
    public int RestartsOf(TimeSpan dueTime) => _restarts.Count(restart => restart == dueTime);

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
            time._restarts.Enqueue(dueTime);
            return changed;
        }

        public void Dispose() => inner.Dispose();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
