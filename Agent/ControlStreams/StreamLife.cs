namespace Whip.Agent.ControlStreams;

/// <summary>Where a control stream is in its life, and for how long.</summary>
internal sealed class StreamLife(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long _startedAt = time.GetTimestamp();
    private StreamState _state;
    private long? _attachedAt;
    private long? _endedAt;

    public StreamState State
    {
        get
        {
            lock (_lock)
            {
                return _state;
            }
        }
    }

    /// <summary>Since the attempt began.</summary>
    public TimeSpan Age => time.GetElapsedTime(_startedAt);

    public bool WasAttached
    {
        get
        {
            lock (_lock)
            {
                return _attachedAt is not null;
            }
        }
    }

    /// <summary>How long the stream has been attached, or was when it ended; zero if it never was.</summary>
    public TimeSpan StoodFor
    {
        get
        {
            lock (_lock)
            {
                return _attachedAt is { } since ? time.GetElapsedTime(since, _endedAt ?? time.GetTimestamp()) : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Forward only; false when the stream is there or further already.</summary>
    public bool MoveTo(StreamState state)
    {
        lock (_lock)
        {
            if (_state >= state)
            {
                return false;
            }

            _state = state;
            if (state == StreamState.Attached)
            {
                _attachedAt = time.GetTimestamp();
            }
            else if (state == StreamState.Ended)
            {
                _endedAt = time.GetTimestamp();
            }

            return true;
        }
    }
}

/// <summary>The life of a control stream, in order; states are skipped, never revisited.</summary>
internal enum StreamState
{
    Opening,

    /// <summary>Register is sent; a broker of ours answers, an original server stays silent.</summary>
    Registering,

    /// <summary>The broker may send Connect.</summary>
    Attached,

    /// <summary>Our direction is complete; what the broker sent before it knew is still served.</summary>
    Detaching,

    Ended,
}
