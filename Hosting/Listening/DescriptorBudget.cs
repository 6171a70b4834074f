using System.Globalization;
using System.Runtime.ExceptionServices;
using Prometheus;
using Whip.Protocol.Options;

namespace Whip.Hosting.Listening;

/// <summary>
/// The descriptors that the connections of one process may take: the limit of open files, less those that the process holds for itself, less a
/// margin that is never given away, because the runtime aborts a process that has none left for a new thread. What does not fit ends the oldest
/// connection that can be spared, or is refused.
/// </summary>
internal sealed class DescriptorBudget
{
    /// <summary>A program holds up to 230 descriptors before its first connection: the runtime keeps two open for each assembly.</summary>
    public const int Least = 256;

    // A thread takes two for a moment, an assembly two for ever, and each listener has one accepted that has no place yet.
    private const int LeastMargin = 12;
    private const int MostMargin = 256;
    private const int MarginPart = 20;

    // Between two of them new threads and assemblies take less than the margin.
    private static readonly TimeSpan MeasureInterval = TimeSpan.FromMilliseconds(100);

    // With a higher limit they are not counted, which would take long; enough is set aside for a broker of a cluster.
    private const int MostCounted = 8192;
    private const int SetAside = 1024;

    private readonly Lock _lock = new();
    private readonly int _limit;
    private readonly int _margin;
    private readonly Func<int> _countOpen;
    private readonly TimeProvider _time;
    private readonly Counter? _refused;
    private readonly LinkedList<UnauthenticatedGate.Entry>[] _spare = [new(), new(), new()];
    private int _own;
    private long? _measuredAt;
    private int _inUse;
    private int _reserved;

    /// <param name="limit">Of open files.</param>
    /// <param name="countOpen">Counts those that are open now; 0 if that is not known.</param>
    /// <param name="time">The clock.</param>
    /// <param name="metrics">Gets what is used and refused; null for none.</param>
    public DescriptorBudget(int limit, Func<int> countOpen, TimeProvider time, CollectorRegistry? metrics = null)
    {
        (_limit, _countOpen, _time) = (limit, countOpen, time);
        _margin = Math.Clamp(limit / MarginPart, LeastMargin, MostMargin);
        if (metrics is not null)
        {
            var factory = Prometheus.Metrics.WithCustomRegistry(metrics);
            var size = factory.CreateGauge("whip_descriptors", "Descriptors that connections may take: the limit of open files less the program's own.");
            var inUse = factory.CreateGauge("whip_descriptors_in_use", "Descriptors that connections have taken.");
            _refused = factory.CreateCounter(
                "whip_descriptors_refused_total", "Connections and dials refused because no descriptor was left.", "listener");
            metrics.AddBeforeCollectCallback(() =>
            {
                size.Set(Size);
                inUse.Set(InUse);
            });
        }
    }

    /// <summary>Of open files.</summary>
    public int Limit => _limit;

    /// <summary>How many places there are; it falls while the process opens more descriptors for itself.</summary>
    public int Size
    {
        get
        {
            lock (_lock)
            {
                return Measure();
            }
        }
    }

    public int InUse
    {
        get
        {
            lock (_lock)
            {
                return _inUse;
            }
        }
    }

    /// <summary>The budget of this process.</summary>
    public static DescriptorBudget OfProcess(CollectorRegistry? metrics = null)
    {
        // The first failed operation on a socket makes the runtime load three more assemblies for its stack trace, and their symbols. With a low
        // limit of open files these nine descriptors are more than the margin, so they are taken before anything is given away.
        ExceptionDispatchInfo.SetCurrentStackTrace(new IOException());
        return new(OpenFiles.Limit(), OpenFiles.Count, TimeProvider.System, metrics);
    }

    /// <exception cref="WhipOptionException">The limit is too small to serve with.</exception>
    public void Require(int least) => OptionText.Require(
        _limit >= least, "ulimit -n", _limit.ToString(CultureInfo.InvariantCulture), "is too few open files to serve with",
        $"at least {least}; two more for each relay");

    /// <summary>Takes places for descriptors that have just been opened, or are about to be. False: they do not fit.</summary>
    public bool TryTake(int places = 1) => TryAdd(places, reserved: 0, maySpare: true);

    /// <summary>Takes a place only if none has to be ended for it.</summary>
    public bool TryTakeSpare() => TryAdd(1, reserved: 0, maySpare: false);

    /// <summary>Takes a place that may be one of those reserved for the dials under way: the leg of one of them may arrive with this connection.</summary>
    public bool TryTakeReserved() => TryAdd(1, reserved: null, maySpare: true);

    /// <summary>Reserves a place for the leg of a dial that begins.</summary>
    public bool TryReserve() => TryAdd(0, reserved: 1, maySpare: true);

    public void Unreserve()
    {
        lock (_lock)
        {
            _reserved--;
        }
    }

    /// <summary>The descriptors have been closed.</summary>
    public void Return(int places = 1)
    {
        lock (_lock)
        {
            _inUse -= places;
        }
    }

    public void CountRefusal(string listener) => _refused?.WithLabels(listener).Inc();

    /// <summary>The oldest of <paramref name="kind"/> may now be ended.</summary>
    internal LinkedListNode<UnauthenticatedGate.Entry> AddSpare(SpareKind kind, UnauthenticatedGate.Entry entry, bool isOldest)
    {
        lock (_lock)
        {
            return isOldest ? _spare[(int)kind].AddFirst(entry) : _spare[(int)kind].AddLast(entry);
        }
    }

    internal void RemoveSpare(LinkedListNode<UnauthenticatedGate.Entry> node)
    {
        lock (_lock)
        {
            node.List?.Remove(node);
        }
    }

    /// <param name="taken">Places to take.</param>
    /// <param name="reserved">Places to reserve; null: those reserved may be taken.</param>
    /// <param name="maySpare">Whether others may be ended.</param>
    private bool TryAdd(int taken, int? reserved, bool maySpare)
    {
        while (true)
        {
            UnauthenticatedGate.Entry? oldest;
            lock (_lock)
            {
                if (_inUse + taken + (reserved is { } more ? _reserved + more : 0) <= Measure())
                {
                    _inUse += taken;
                    _reserved += reserved ?? 0;
                    return true;
                }

                oldest = maySpare ? _spare.FirstOrDefault(list => list.Count > 0)?.First!.Value : null;
            }

            if (oldest is null)
            {
                return false;
            }

            oldest.TryEvict();
        }
    }

    /// <summary>
    /// The size now. The process' own descriptors are all that are open and have no place. A place may be taken before its descriptor is opened, so
    /// the count falls slowly.
    /// </summary>
    private int Measure()
    {
        if (_limit > MostCounted)
        {
            return _limit - SetAside;
        }

        if (_measuredAt is not { } last || _time.GetElapsedTime(last) >= MeasureInterval)
        {
            _measuredAt = _time.GetTimestamp();
            _own = Math.Max(_countOpen() - _inUse, _own - 1);
        }

        return Math.Max(0, _limit - _own - _margin);
    }
}

/// <summary>Which connections are ended first when descriptors run out.</summary>
internal enum SpareKind
{
    /// <summary>Open to save time later.</summary>
    Kept,

    /// <summary>Its peer is not known yet.</summary>
    Unauthenticated,

    /// <summary>Its peer is known, and has asked for nothing yet.</summary>
    Idle,
}
