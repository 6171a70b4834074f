namespace Whip.Hosting.Listening;

/// <summary>
/// Bounds the connections of one listener that have not said who they are. When it is full the oldest goes, never the newest:
/// a flood of silent connections then cannot lock out a peer that speaks. Owner of the order: the lock.
/// </summary>
internal sealed class UnauthenticatedGate(int capacity)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Entry> _oldestFirst = new();

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _oldestFirst.Count;
            }
        }
    }

    /// <summary>Admits a connection; <paramref name="evict"/> must end it and may run at once on the caller of another Enter.</summary>
    public Entry Enter(Action evict)
    {
        var entry = new Entry(this, evict);
        Entry? evicted = null;
        lock (_lock)
        {
            if (_oldestFirst.Count >= capacity)
            {
                evicted = _oldestFirst.First!.Value;
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

        /// <summary>The gate has ended the connection to make room.</summary>
        public bool IsEvicted { get; internal set; }

        /// <summary>The connection has authenticated or ended. False: it was evicted before. Idempotent.</summary>
        public bool Leave()
        {
            lock (gate._lock)
            {
                return Unlink(gate._oldestFirst);
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
