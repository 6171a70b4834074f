using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Grpc.Core;
using Whip.Protocol.ControlStreams;
using Whip.Protocol.Kept;
using Whip.Protocol.Messages;

namespace Whip.Broker.ControlStreams;

/// <summary>One registered control stream at its holder. Only <see cref="End(Status)"/> ends it; the first status wins.</summary>
[SuppressMessage("Design", "CA1001", Justification = "It may be ended after its call; the source has neither a timer nor a wait handle to dispose.")]
internal sealed class AgentStream
{
    // A Connect and a Cancel for each pending dial, and a few pings: when it is full the agent has stopped reading.
    private readonly Channel<ResponseStream> _outgoing;
    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _lock = new();
    private volatile StreamRoute _route;
    private Status? _status;
    private int _pending;

    public AgentStream(StreamRoute route, IPEndPoint remote, bool isOurs, int maxPending, TimeProvider time)
    {
        Pings = new PingClock(time);
        _route = route;
        HealthChanges = new HealthChanges(route.Ports.Count, time);
        Remote = remote;
        IsOurs = isOurs;
        _outgoing = Channel.CreateBounded<ResponseStream>(new BoundedChannelOptions((2 * maxPending) + 16) { SingleReader = true });
        Ended = _ended.Token;
    }

    /// <summary>Replaced by the reader of the stream when the health of a port changes.</summary>
    public StreamRoute Route
    {
        get => _route;
        set => _route = value;
    }

    public HealthChanges HealthChanges { get; }

    public IPEndPoint Remote { get; }

    /// <summary>The leaf that the agent showed; null without TLS.</summary>
    public PeerIdentity? Peer { get; init; }

    /// <summary>Those that are kept between two dials; null if the agent does not keep them.</summary>
    public KeptPool? Legs { get; init; }

    /// <summary>False for an agent of the original, which is sent only the messages that it knows.</summary>
    public bool IsOurs { get; }

    /// <summary>Cancelled when the stream has ended for any reason.</summary>
    public CancellationToken Ended { get; }

    public PingClock Pings { get; }

    /// <summary>Dials that wait for this agent's leg.</summary>
    public int Pending => Volatile.Read(ref _pending);

    /// <summary>The status the call ends with, once it has ended.</summary>
    public Status Status
    {
        get
        {
            lock (_lock)
            {
                return _status ?? Status.DefaultSuccess;
            }
        }
    }

    /// <summary>Counts a pending dial, if the limit allows it.</summary>
    public bool TryReserve(int limit)
    {
        if (Interlocked.Increment(ref _pending) <= limit)
        {
            return true;
        }

        Release();
        return false;
    }

    public void Release() => Interlocked.Decrement(ref _pending);

    /// <summary>Queues a message. False: the stream has ended, or ends now because the agent does not read it.</summary>
    public bool TrySend(ResponseStream message)
    {
        if (_outgoing.Writer.TryWrite(message))
        {
            return true;
        }

        End(StatusCode.ResourceExhausted, "the agent does not read its control stream");
        return false;
    }

    /// <summary>Writes what is queued until the stream ends.</summary>
    public async Task SendLoopAsync(IServerStreamWriter<ResponseStream> responses, PipeWriter body, CancellationToken cancellationToken)
    {
        // Cancelling the write itself would reset the call, and the agent would not get the status.
        await using var unblocked = cancellationToken.UnsafeRegister(static pipe => ((PipeWriter)pipe!).CancelPendingFlush(), body);
        await foreach (var message in _outgoing.Reader.ReadAllAsync(cancellationToken))
        {
            await responses.WriteAsync(message, CancellationToken.None);
        }
    }

    public void End(StatusCode code, string detail = "") => End(new Status(code, detail));

    public void End(Status status)
    {
        lock (_lock)
        {
            if (_status is not null)
            {
                return;
            }

            _status = status;
        }

        _outgoing.Writer.TryComplete();
        _ended.Cancel();
    }
}
