using Microsoft.Extensions.Time.Testing;

namespace Whip.Tests.Support;

/// <summary>Time that stands still until a test moves it, and shows how often a running timer was set anew.</summary>
internal sealed class CountedTimers : FakeTimeProvider
{
    private int _restarts;

    public int Restarts => Volatile.Read(ref _restarts);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new Counted(this, base.CreateTimer(callback, state, dueTime, period));

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
