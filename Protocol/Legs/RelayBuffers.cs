using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Whip.Protocol.Legs;

/// <summary>
/// Where the relays of one program rent their buffers, and what bounds the memory of those whose reader has stopped: a write that is blocked for
/// a second keeps no more than what remains of it, and when all of these together keep more than the budget, the relay that is blocked for the
/// longest time is reset. Owner of the list: the lock.
/// </summary>
/// <param name="time">The clock of the looks.</param>
/// <param name="budget">In bytes.</param>
/// <param name="reset">Told how many relays a look has reset.</param>
[SuppressMessage("Design", "CA1001", Justification = "The timer is idle when no relay is left, so there is nothing to dispose.")]
internal sealed class RelayBuffers(TimeProvider time, long budget = RelayBuffers.DefaultBudget, Action<int>? reset = null)
{
    public const int DefaultBudget = 256 * 1024 * 1024;

    // How large a buffer may be with a sixteenth of the budget in use, and with an eighth: readers that stop then take little more, however many at
    // once. Into the rest goes what is kept beneath each buffer, and arrays that were freed and not collected yet.
    private const int ReducedSize = 32 * 1024;
    private const int LeastSize = 16 * 1024;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly LinkedList<RelayDirection> _blocked = new();
    private ITimer? _timer;
    private bool _isArmed;
    private long _held;
    private long _rented;
    private int _outstanding;

    /// <summary>Buffers rented and not returned.</summary>
    public int Outstanding => Volatile.Read(ref _outstanding);

    /// <summary>Bytes of the buffers rented and not returned, and of what was counted besides.</summary>
    public long Rented => Interlocked.Read(ref _rented);

    /// <summary>Bytes that writes kept which were blocked for a second or more at the last look.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <param name="size">In bytes.</param>
    /// <param name="isLeast">A smaller one will not do.</param>
    public byte[] Rent(int size, bool isLeast = false)
    {
        Interlocked.Increment(ref _outstanding);
        var rented = Interlocked.Add(ref _rented, size);
        var buffer = ArrayPool<byte>.Shared.Rent(isLeast ? size : Math.Min(size, Largest(Math.Max(Held, rented))));
        Interlocked.Add(ref _rented, buffer.Length - size);
        return buffer;
    }

    public void Return(byte[] buffer)
    {
        Interlocked.Add(ref _rented, -buffer.Length);
        ArrayPool<byte>.Shared.Return(buffer);
        Interlocked.Decrement(ref _outstanding);
    }

    /// <summary>A relay keeps so many bytes more that are not of a buffer rented here, or fewer.</summary>
    public void Count(int bytes) => Interlocked.Add(ref _rented, bytes);

    /// <summary>The kernel does not take what the direction writes.</summary>
    public void Enter(RelayDirection direction)
    {
        lock (_lock)
        {
            direction.BlockedSince = time.GetTimestamp();
            _blocked.AddLast(direction.Place);
            if (!_isArmed)
            {
                Arm();
            }
        }
    }

    public void Leave(RelayDirection direction)
    {
        lock (_lock)
        {
            _blocked.Remove(direction.Place);
        }
    }

    private int Largest(long used) => used > budget / 8 ? LeastSize : used > budget / 16 ? ReducedSize : int.MaxValue;

    private void Arm()
    {
        _isArmed = true;
        _timer ??= time.CreateTimer(static buffers => ((RelayBuffers)buffers!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(Interval, Timeout.InfiniteTimeSpan);
    }

    private void Look()
    {
        List<RelayDirection> longest;
        lock (_lock)
        {
            longest = [.. _blocked.TakeWhile(direction => time.GetElapsedTime(direction.BlockedSince) >= Interval)];
            _isArmed = false;
            if (_blocked.Count > 0)
            {
                Arm();
            }
        }

        var sizes = longest.ConvertAll(direction => direction.Shrink());
        var held = sizes.Sum(size => (long)size);
        Volatile.Write(ref _held, held);
        var count = 0;
        for (var i = 0; held > budget && i < longest.Count; i++)
        {
            if (sizes[i] > 0)
            {
                longest[i].Reset($"its reader has stopped, and all such relays keep {held / 1024} KiB");
                held -= sizes[i];
                count++;
            }
        }

        if (count > 0)
        {
            reset?.Invoke(count);
        }
    }
}
