using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Threading.Channels;
using Whip.Hosting.Grpc;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Registry;

namespace Whip.Broker.ControlStreams;

/// <summary>
/// One registered control stream at its holder. <see cref="End"/> is the one method that ends it; the first status wins.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Others end it while its call is over: the source, which has neither a timer nor a wait handle, is left to the collector.")]
internal sealed class AgentStream
{
    // Every pending dial may have a Connect and a Cancel queued, and a few pings besides; more means the agent has stopped reading.
    private readonly Channel<ResponseStream> _outgoing;
    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _lock = new();
    private GrpcStatus? _status;
    private int _pending;

    public AgentStream(StreamRoute route, IPEndPoint remote, bool isOurs, int maxPending)
    {
        Route = route;
        Remote = remote;
        IsOurs = isOurs;
        _outgoing = Channel.CreateBounded<ResponseStream>(new BoundedChannelOptions((2 * maxPending) + 16) { SingleReader = true });
        Ended = _ended.Token;
    }

    public StreamRoute Route { get; }

    public IPEndPoint Remote { get; }

    /// <summary>Whether the agent told what it is; an original one does not, and is sent nothing it would not know.</summary>
    public bool IsOurs { get; }

    /// <summary>Cancelled when the stream has ended for any reason.</summary>
    public CancellationToken Ended { get; }

    public PingClock Pings { get; } = new();

    /// <summary>Dials that wait for this agent's leg.</summary>
    public int Pending => Volatile.Read(ref _pending);

    /// <summary>Takes one of the agent's places for pending dials.</summary>
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

    /// <summary>Queues a message. False: the stream has ended, or ends now because the agent does not read.</summary>
    public bool TrySend(ResponseStream message)
    {
        if (_outgoing.Writer.TryWrite(message))
        {
            return true;
        }

        End(new GrpcStatus(GrpcStatusCode.ResourceExhausted, "the agent does not read its control stream"));
        return false;
    }

    /// <summary>Writes what is queued until the stream ends.</summary>
    public async Task SendLoopAsync(IControlStream<RequestStream, ResponseStream> stream, CancellationToken cancellationToken)
    {
        await foreach (var message in _outgoing.Reader.ReadAllAsync(cancellationToken))
        {
            await stream.WriteAsync(message, cancellationToken);
        }
    }

    public void End(GrpcStatus status)
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

    /// <summary>The status the call ends with, once it has ended.</summary>
    public GrpcStatus Status
    {
        get
        {
            lock (_lock)
            {
                return _status ?? GrpcStatus.Ok;
            }
        }
    }
}
