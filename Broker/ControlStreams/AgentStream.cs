using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Grpc.Core;
using Whip.Protocol.ControlStreams;
using Whip.Protocol.Messages;
using Whip.Registry;

namespace Whip.Broker.ControlStreams;

/// <summary>
/// One registered control stream at its holder. <see cref="End(Status)"/> is the one method that ends it; the first status wins.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Others end it while its call is over: the source, which has neither a timer nor a wait handle, is left to the collector.")]
internal sealed class AgentStream
{
    // Every pending dial may have a Connect and a Cancel queued, and a few pings besides; more means the agent has stopped reading.
    private readonly Channel<ResponseStream> _outgoing;
    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _lock = new();
    private Status? _status;
    private int _pending;

    public AgentStream(StreamRoute route, IPEndPoint remote, bool isOurs, int maxPending, TimeProvider time)
    {
        Pings = new PingClock(time);
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

    /// <summary>Starts with the registration, which was a sign of life.</summary>
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

        End(StatusCode.ResourceExhausted, "the agent does not read its control stream");
        return false;
    }

    /// <summary>Writes what is queued until the stream ends.</summary>
    /// <param name="responses">Where to.</param>
    /// <param name="body">Beneath it.</param>
    /// <param name="cancellationToken">Ends a write that waits for the agent to read.</param>
    public async Task SendLoopAsync(IServerStreamWriter<ResponseStream> responses, PipeWriter body, CancellationToken cancellationToken)
    {
        // A token of the write itself would reset the call, and the agent would not learn the status.
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
