using Whip.Protocol.Admin;
using Whip.Protocol.Connect;

namespace Whip.Broker.Dialing;

/// <summary>The last dials that failed at this broker, in a ring that overwrites its oldest. Owner: the lock.</summary>
internal sealed class RecentFailures(TimeProvider time)
{
    public const int Capacity = 1000;

    private const int MaxTextLength = 512;

    private readonly FailedDial?[] _ring = new FailedDial?[Capacity];
    private readonly Lock _lock = new();
    private int _next;

    public void Add(string name, int port, string origin, DialResult result)
    {
        var failure = new FailedDial(
            time.GetUtcNow(), Printable.Clean(name), port, Printable.Clean(origin),
            DialStatus.ToName(result.Outcome), Printable.Clean(result.Reason, MaxTextLength));
        lock (_lock)
        {
            _ring[_next] = failure;
            _next = (_next + 1) % Capacity;
        }
    }

    /// <summary>The last failures of a normalised name, newest first.</summary>
    public IReadOnlyList<FailedDial> Of(string name, int most)
    {
        lock (_lock)
        {
            return [.. Enumerable.Range(1, Capacity)
                .Select(back => _ring[(_next - back + Capacity) % Capacity])
                .OfType<FailedDial>()
                .Where(failure => failure.Name == name)
                .Take(most)];
        }
    }
}
