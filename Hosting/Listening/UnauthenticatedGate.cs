namespace Whip.Hosting.Listening;

/// <summary>
/// Limits the connections of one listener that have not authenticated. When it is full, or when descriptors run out, the oldest is closed, never the
/// newest, so silent connections cannot lock out a peer that sends. A connection whose handshake is running is not closed, because that would waste
/// its work.
/// </summary>
internal sealed class UnauthenticatedGate(int capacity, DescriptorBudget descriptors, SpareKind kind = SpareKind.Unauthenticated)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Entry> _oldestFirst = new();
    private readonly DescriptorBudget _descriptors = descriptors;
    private readonly SpareKind _kind = kind;
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

    /// <summary>Admits a connection. <paramref name="evict"/> must close its descriptor, and may run at any time on any thread.</summary>
    public Entry Enter(Action evict)
    {
        var entry = new Entry(this, evict);
        Admit(entry);
        return entry;
    }

    private void Admit(Entry entry)
    {
        Entry? oldest;
        lock (_lock)
        {
            oldest = _oldestFirst.Count + _shielded >= capacity ? _oldestFirst.First?.Value : null;
            entry.Link(isOldest: false);
        }

        oldest?.TryEvict();
    }

    /// <summary>Ends the oldest while there are more than <paramref name="most"/>.</summary>
    public void EvictBeyond(int most)
    {
        Entry? oldest;
        do
        {
            lock (_lock)
            {
                oldest = _oldestFirst.Count > most ? _oldestFirst.First?.Value : null;
            }

            oldest?.TryEvict();
        }
        while (oldest is not null);
    }

    /// <summary>One admitted connection, until it leaves or is evicted.</summary>
    internal sealed class Entry(UnauthenticatedGate gate, Action evict)
    {
        private LinkedListNode<Entry>? _node;
        private LinkedListNode<Entry>? _spare;
        private bool _isShielded;

        /// <summary>Whether the connection was ended to make room.</summary>
        public bool IsEvicted { get; private set; }

        /// <summary>The connection, which has left, is admitted again, as the newest; <paramref name="evictAgain"/> closes it now.</summary>
        public void Enter(Action evictAgain)
        {
            evict = evictAgain;
            gate.Admit(this);
        }

        /// <summary>Its handshake is running: the connection counts, and is not evicted.</summary>
        public void Shield()
        {
            lock (gate._lock)
            {
                if (Unlink())
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
                    Link(isOldest: true);
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
                    return Unlink();
                }

                _isShielded = false;
                gate._shielded--;
                return true;
            }
        }

        /// <summary>Ends the connection, unless it has left meanwhile.</summary>
        internal void TryEvict()
        {
            lock (gate._lock)
            {
                if (!Unlink())
                {
                    return;
                }

                IsEvicted = true;
            }

            evict();
        }

        internal void Link(bool isOldest)
        {
            _node = isOldest ? gate._oldestFirst.AddFirst(this) : gate._oldestFirst.AddLast(this);
            _spare = gate._descriptors.AddSpare(gate._kind, this, isOldest);
        }

        private bool Unlink()
        {
            if (_node is null)
            {
                return false;
            }

            gate._oldestFirst.Remove(_node);
            gate._descriptors.RemoveSpare(_spare!);
            _node = null;
            return true;
        }
    }
}
