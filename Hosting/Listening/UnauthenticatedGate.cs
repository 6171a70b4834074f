namespace Whip.Hosting.Listening;

/// <summary>
/// Limits the connections of one listener that have not authenticated. When it is full, the oldest is closed, never the newest, so silent
/// connections cannot lock out a peer that sends. A connection whose handshake is running is not closed, because that would waste its work.
/// </summary>
internal sealed class UnauthenticatedGate(int capacity)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Entry> _oldestFirst = new();
    private int _shielded;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _oldestFirst.Count + _shielded;
            }
        }
    }

    /// <summary>Admits a connection. <paramref name="evict"/> must end it, and may run at any time on the caller of another Enter.</summary>
    public Entry Enter(Action evict)
    {
        var entry = new Entry(this, evict);
        Entry? evicted = null;
        lock (_lock)
        {
            if (_oldestFirst.Count + _shielded >= capacity && _oldestFirst.First is { } oldest)
            {
                evicted = oldest.Value;
                evicted.Unlink(_oldestFirst);
                evicted.IsEvicted = true;
            }

            entry.Link(_oldestFirst);
        }

        evicted?.Evict();
        return entry;
    }

    /// <summary>One admitted connection, until it leaves or is evicted.</summary>
    internal sealed class Entry(UnauthenticatedGate gate, Action evict)
    {
        private LinkedListNode<Entry>? _node;
        private bool _isShielded;

        /// <summary>Whether the gate has ended the connection to make room.</summary>
        public bool IsEvicted { get; internal set; }

        /// <summary>Its handshake is running: the connection counts, and is not evicted.</summary>
        public void Shield()
        {
            lock (gate._lock)
            {
                if (Unlink(gate._oldestFirst))
                {
                    _isShielded = true;
                    gate._shielded++;
                }
            }
        }

        /// <summary>Its handshake has stalled: the connection is the oldest again.</summary>
        public void Unshield()
        {
            lock (gate._lock)
            {
                if (_isShielded)
                {
                    _isShielded = false;
                    gate._shielded--;
                    _node = gate._oldestFirst.AddFirst(this);
                }
            }
        }

        /// <summary>The connection has authenticated or ended. Returns false if it was evicted before. Idempotent.</summary>
        public bool Leave()
        {
            lock (gate._lock)
            {
                if (!_isShielded)
                {
                    return Unlink(gate._oldestFirst);
                }

                _isShielded = false;
                gate._shielded--;
                return true;
            }
        }

        internal void Link(LinkedList<Entry> list) => _node = list.AddLast(this);

        internal bool Unlink(LinkedList<Entry> list)
        {
            if (_node is null)
            {
                return false;
            }

            list.Remove(_node);
            _node = null;
            return true;
        }

        internal void Evict() => evict();
    }
}
