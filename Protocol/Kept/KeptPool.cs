using System.Diagnostics.CodeAnalysis;
using Whip.Protocol.Tls;

namespace Whip.Protocol.Kept;

/// <summary>
/// The idle connections of one identity, by where they lead, and the turns of those who make new ones. The newest is used first. A dial that has to
/// wait for its turn gets the next connection that is given back. Owner of everything: the lock.
/// </summary>
/// <param name="identity">What the connections show; null when they are plain.</param>
/// <param name="time">The clock of their age.</param>
/// <param name="places">Counts them; null: they are not counted.</param>
/// <param name="leads">Whether somebody is still there; null: always.</param>
[SuppressMessage("Design", "CA1001", Justification = "The timer is idle when no connection is left, so there is nothing to dispose.")]
internal sealed class KeptPool(TlsIdentity? identity, TimeProvider time, IKeptPlaces? places = null, Func<KeptKey, bool>? leads = null)
{
    private static readonly TimeSpan TrimInterval = TimeSpan.FromSeconds(5);
    private static readonly int MaxOpenings = 2 * Environment.ProcessorCount;

    private readonly Lock _lock = new();
    private readonly Dictionary<KeptKey, KeptPeer> _peers = [];
    private ITimer? _timer;
    private bool _isArmed;
    private bool _isClosed;

    /// <summary>Idle connections.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _peers.Values.Sum(peer => peer.Idle.Count);
            }
        }
    }

    /// <summary>Our certificate as new connections show it, to be taken before the handshake.</summary>
    public object? Shown => identity?.Certificate;

    /// <summary>An idle connection, or null: then it is the caller's turn to make one, until it calls <see cref="Opened"/>.</summary>
    /// <param name="key">Where it leads.</param>
    /// <param name="mayReuse">False: only a new one will do.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<KeptConnection?> TakeAsync(KeptKey key, bool mayReuse, CancellationToken cancellationToken)
    {
        LinkedListNode<KeptWaiter>? place = null;
        List<KeptConnection> unfit = [];
        KeptConnection? idle;
        lock (_lock)
        {
            var peer = Of(key);
            idle = mayReuse ? TakeIdle(peer, unfit) : null;
            if (idle is not null || peer.Openings < MaxOpenings)
            {
                peer.Openings += idle is null ? 1 : 0;
            }
            else
            {
                place = peer.Waiting.AddLast(new KeptWaiter(mayReuse));
            }
        }

        End(unfit);
        return place is null ? new(idle) : WaitAsync(key, place, cancellationToken);
    }

    /// <summary>The connection stands, or could not be made: the next one has its turn.</summary>
    public void Opened(KeptKey key)
    {
        lock (_lock)
        {
            var peer = Of(key);
            if (peer.Waiting.First is { } next)
            {
                peer.Waiting.RemoveFirst();
                next.Value.Served.SetResult(null);
                return;
            }

            peer.Openings--;
            RemoveUnused(key, peer);
        }
    }

    /// <summary>Its dial is done.</summary>
    public void GiveBack(KeptConnection connection)
    {
        lock (_lock)
        {
            if (IsFit(connection))
            {
                connection.BeginIdle();
                if (!connection.Heard.IsCompleted && TryKeep(connection))
                {
                    return;
                }
            }
        }

        connection.Leg.Abort();
    }

    /// <summary>Its peer was silent or gone: ends it, and those that have been idle for as long.</summary>
    public void Drop(KeptConnection stale)
    {
        List<KeptConnection> dropped = [];
        lock (_lock)
        {
            if (_peers.TryGetValue(stale.Key, out var peer))
            {
                dropped.AddRange(peer.Idle.Where(connection => connection.IdleSince <= stale.IdleSince));
                dropped.ForEach(connection => peer.Remove(connection));
                RemoveUnused(stale.Key, peer);
            }
        }

        stale.Leg.Abort();
        End(dropped);
    }

    /// <summary>Ends the idle connections, and keeps none from now on.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
        }

        Trim();
    }

    /// <summary>Ends those that are too old, or lead nowhere.</summary>
    public void Trim()
    {
        List<KeptConnection> old = [];
        lock (_lock)
        {
            _isArmed = false;
            foreach (var (key, peer) in _peers.ToArray())
            {
                var gone = peer.Idle.FindAll(connection => connection.HasIdledLong || !IsFit(connection));
                gone.ForEach(connection => peer.Remove(connection));
                old.AddRange(gone);
                RemoveUnused(key, peer);
            }

            if (_peers.Values.Any(peer => peer.Idle.Count > 0))
            {
                Arm();
            }
        }

        End(old);
    }

    private static void End(List<KeptConnection> connections) => connections.ForEach(connection => connection.Leg.Abort());

    private async ValueTask<KeptConnection?> WaitAsync(KeptKey key, LinkedListNode<KeptWaiter> place, CancellationToken cancellationToken)
    {
        try
        {
            return await place.Value.Served.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            lock (_lock)
            {
                place.List?.Remove(place);
            }

            if (place.Value.Served.Task.IsCompleted)
            {
                // Served at the same moment.
                if (await place.Value.Served.Task.ConfigureAwait(false) is { } connection)
                {
                    GiveBack(connection);
                }
                else
                {
                    Opened(key);
                }
            }

            throw;
        }
    }

    private KeptConnection? TakeIdle(KeptPeer peer, List<KeptConnection> unfit)
    {
        while (peer.Idle.Count > 0)
        {
            var newest = peer.Idle[^1];
            if (peer.Remove(newest) && IsFit(newest) && !newest.Heard.IsCompleted && !newest.HasIdledLong)
            {
                return newest;
            }

            unfit.Add(newest);
        }

        return null;
    }

    private bool IsFit(KeptConnection connection) =>
        !_isClosed && !connection.Leg.HasEnded && !connection.IsOld && ReferenceEquals(connection.Shown, Shown) && !(identity?.NotAfter <= time.GetUtcNow())
        && leads?.Invoke(connection.Key) != false;

    /// <summary>For the first that waits, else for later.</summary>
    private bool TryKeep(KeptConnection connection)
    {
        var peer = Of(connection.Key);
        if (peer.TryServe(connection))
        {
            return true;
        }

        connection.Place = peer.Idle.Count < KeptLimits.MaxIdle ? places?.TryEnter(connection, () => Lost(connection)) : null;
        if (peer.Idle.Count >= KeptLimits.MaxIdle || (places is not null && connection.Place is null))
        {
            RemoveUnused(connection.Key, peer);
            return false;
        }

        peer.Idle.Add(connection);
        _ = WatchAsync(connection, connection.Finished);
        Arm();
        return true;
    }

    /// <summary>An idle connection that ends is none any more, and neither is one on which its peer speaks.</summary>
    private async Task WatchAsync(KeptConnection connection, int finished)
    {
        try
        {
            await connection.Heard.ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Reset.
        }

        if (connection.Finished == finished)
        {
            Lost(connection);
        }
    }

    private void Lost(KeptConnection connection)
    {
        lock (_lock)
        {
            if (!_peers.TryGetValue(connection.Key, out var peer) || !peer.Idle.Remove(connection))
            {
                return;
            }

            connection.Place?.Leave();
            RemoveUnused(connection.Key, peer);
        }

        connection.Leg.Abort();
    }

    private void Arm()
    {
        if (!_isArmed)
        {
            _isArmed = true;
            _timer ??= time.CreateTimer(static pool => ((KeptPool)pool!).Trim(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(TrimInterval, Timeout.InfiniteTimeSpan);
        }
    }

    private KeptPeer Of(KeptKey key)
    {
        if (!_peers.TryGetValue(key, out var peer))
        {
            _peers[key] = peer = new KeptPeer();
        }

        return peer;
    }

    private void RemoveUnused(KeptKey key, KeptPeer peer)
    {
        if (peer is { Idle.Count: 0, Openings: 0, Waiting.Count: 0 })
        {
            _peers.Remove(key);
        }
    }
}
