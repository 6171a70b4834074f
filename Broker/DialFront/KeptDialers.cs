using Whip.Broker.Listening;
using Whip.Protocol.Connect;
using Whip.Protocol.Kept;

namespace Whip.Broker.DialFront;

/// <summary>
/// The connections of dialers that are idle between two dials: how many and how long they may be, and which of them go first when descriptors run out.
/// </summary>
internal sealed class KeptDialers(TlsIdentity? tls, DescriptorBudget descriptors, KeptMetrics metrics, TimeProvider time) : IDisposable
{
    private readonly CancellationTokenSource _draining = new();
    private readonly UnauthenticatedGate _idle = new(int.MaxValue, descriptors, SpareKind.Kept);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _byLeaf = [];

    /// <summary>Connections that are idle.</summary>
    public int Count => metrics.Count;

    /// <summary>Of a connection whose handshake is to come.</summary>
    public ServingLife NewLife() => new(tls, time);

    /// <summary>Closes the idle ones and keeps none from now on.</summary>
    public Task DrainAsync() => _draining.CancelAsync();

    public void Dispose() => _draining.Dispose();

    /// <summary>A dial has come on a connection that was kept.</summary>
    public void Reused() => metrics.Reused();

    /// <summary>What the answer to a request says of keeping its connection.</summary>
    public string? Accept(ConnectRequest request, DialerConnection connection) => MayKeep(connection) ? request.Keep : null;

    /// <summary>Waits until the dialer asks for its next dial, or has ended the connection. False: it is not kept any longer, and to be closed.</summary>
    /// <exception cref="OperationCanceledException">The broker stops.</exception>
    public async Task<bool> WaitAsync(DialerConnection connection, CancellationToken stopping)
    {
        if (!MayKeep(connection) || !TryEnter(connection))
        {
            metrics.Stale();
            return false;
        }

        var (isAsked, hasBroken) = (false, false);
        try
        {
            using var silence = new Deadline(connection.Life.IdleLimit(connection.Leg), time, stopping, _draining.Token);
            await connection.Leg.WaitReadableAsync().WaitAsync(silence.Token);
            isAsked = true;
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // It has idled for long enough, or the broker drains.
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            hasBroken = true;
        }
        finally
        {
            // Its peer was judged by what was in force then; the dialer repeats its dial over a new one.
            isAsked = Leave(connection) && isAsked && connection.Life.IsCurrent;
        }

        if (!isAsked && (!hasBroken || connection.Entry.IsEvicted))
        {
            metrics.Stale();
        }

        return isAsked;
    }

    private bool MayKeep(DialerConnection connection) => !_draining.IsCancellationRequested && connection.Life.MayKeep(connection.Leg);

    /// <summary>False: too many of this certificate are idle.</summary>
    private bool TryEnter(DialerConnection connection)
    {
        if (connection.Leg.Peer is { } peer)
        {
            var leaf = peer.Id ?? $"{peer}";
            lock (_lock)
            {
                var count = _byLeaf.GetValueOrDefault(leaf);
                if (count >= KeptLimits.MaxIdle)
                {
                    return false;
                }

                _byLeaf[leaf] = count + 1;
            }

            connection.Entry = _idle.Enter(connection.Leg.Dispose);
        }
        else
        {
            // Nobody has vouched for it: it is a stranger again, among the others.
            connection.Entry.Enter(connection.Leg.Dispose);
        }

        metrics.Kept(1);
        return true;
    }

    private bool Leave(DialerConnection connection)
    {
        metrics.Kept(-1);
        if (connection.Leg.Peer is { } peer)
        {
            var leaf = peer.Id ?? $"{peer}";
            lock (_lock)
            {
                if (--_byLeaf[leaf] == 0)
                {
                    _byLeaf.Remove(leaf);
                }
            }
        }

        return connection.Entry.Leave();
    }
}

/// <summary>A connection of a dialer, from its handshake to its end. Owner: the task that serves it.</summary>
internal sealed class DialerConnection(Leg leg, UnauthenticatedGate.Entry entry, ServingLife life)
{
    public Leg Leg => leg;

    /// <summary>In the gate where it is now, or was last.</summary>
    public UnauthenticatedGate.Entry Entry { get; set; } = entry;

    public ServingLife Life => life;

    /// <summary>It has carried a dial.</summary>
    public bool IsReused { get; set; }

    /// <summary>It is between two dials.</summary>
    public bool IsIdle { get; set; }
}
