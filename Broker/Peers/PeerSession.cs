using System.Collections.Concurrent;
using System.Threading.Channels;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Registry.Peers;

namespace Whip.Broker.Peers;

/// <summary>
/// A link that stands, at the broker that asks: one loop reads, one writes what is asked, one pings; the first to end ends the others.
/// <c>judged</c> is told before every ping and after every answer how long the peer has owed one, and an answer's round trip;
/// <c>announced</c> the watched names that the peer holds.
/// </summary>
internal sealed class PeerSession(
    ControlCall<PeerRequest, PeerReply> call, TimeProvider time, Action<TimeSpan, TimeSpan?> judged, Action<string> announced)
{
    /// <summary>Watches that one broker may have at another; what one asks and the other grants.</summary>
    public const int MaxWatches = 10_000;

    /// <summary>Room for every watch, every lookup and some that come and go; a peer that leaves more unread is stuck.</summary>
    public const int QueueCapacity = MaxWatches + (4 * MaxLookups);

    private const int MaxLookups = 1024;

    private static readonly TimeSpan PingInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LookupTimeout = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ReaderGrace = TimeSpan.FromSeconds(1);

    /// <summary>A peer that owes an answer for longer is asked on a new connection.</summary>
    private static readonly TimeSpan DeadAfter = TimeSpan.FromSeconds(5);

    private readonly Channel<PeerRequest> _outgoing = Channel.CreateBounded<PeerRequest>(QueueCapacity);
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<NameReport?>> _lookups = new();
    private readonly PeerPings _pings = new(time);
    private ulong _lookupId;

    public void Watch(string name) => Send(new PeerRequest { Watch = name });

    public void Unwatch(string name) => Send(new PeerRequest { Unwatch = name });

    /// <summary>Null when the session ends, the peer does not answer in time, or too many questions wait for it.</summary>
    public async Task<NameReport?> LookupAsync(NameQuery query, CancellationToken cancellationToken)
    {
        if (_lookups.Count >= MaxLookups)
        {
            return null;
        }

        var id = Interlocked.Increment(ref _lookupId);
        var answer = _lookups[id] = new TaskCompletionSource<NameReport?>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            return Send(new PeerRequest { Lookup = PeerMessages.ToMessage(query, id) })
                ? await answer.Task.WaitAsync(LookupTimeout, time, cancellationToken)
                : null;
        }
        catch (TimeoutException)
        {
            return null;
        }
        finally
        {
            _lookups.TryRemove(id, out _);
        }
    }

    /// <summary>Runs until the call ends or <paramref name="stop"/> fires. Returns why it ended.</summary>
    public async Task<GrpcStatus> RunAsync(CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var reading = ReadAsync(over.Token);
        var writing = WriteAsync(over.Token);
        var pinging = PingAsync(over.Token);
        var first = await Task.WhenAny(reading, writing, pinging);
        if (first == writing)
        {
            // The reader learns the call's own status, unless the connection is gone without one.
            first = await Task.WhenAny(reading, Task.Delay(ReaderGrace, time, stop)) == reading ? reading : writing;
        }

        await over.CancelAsync();
        _outgoing.Writer.TryComplete();
        await Task.WhenAll(reading, writing, pinging).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var lookup in _lookups.Values)
        {
            lookup.TrySetResult(null);
        }

        return await StatusAsync(first);
    }

    private static async Task<GrpcStatus> StatusAsync(Task ended)
    {
        try
        {
            await ended;
            return new GrpcStatus(GrpcStatusCode.Ok, "it ended the link");
        }
        catch (GrpcStatusException error)
        {
            return error.Status;
        }
        catch (OperationCanceledException)
        {
            return new GrpcStatus(GrpcStatusCode.Cancelled, "ended by this broker");
        }
    }

    private async Task ReadAsync(CancellationToken over)
    {
        while (await call.ReadAsync(over) is { } reply)
        {
            switch (reply.ReplyCase)
            {
                case PeerReply.ReplyOneofCase.Pong when _pings.Answered(reply.Pong) is { } roundTrip:
                    judged(_pings.Silence(), roundTrip);
                    break;
                case PeerReply.ReplyOneofCase.Report when _lookups.TryGetValue(reply.Report.Id, out var lookup):
                    lookup.TrySetResult(PeerMessages.FromMessage(reply.Report));
                    break;
                case PeerReply.ReplyOneofCase.Announced when DnsName.TryNormalize(reply.Announced, out var name):
                    announced(name);
                    break;
            }
        }
    }

    private async Task WriteAsync(CancellationToken over)
    {
        await foreach (var request in _outgoing.Reader.ReadAllAsync(over))
        {
            await call.WriteAsync(request, over);
        }
    }

    private async Task PingAsync(CancellationToken over)
    {
        using var timer = new PeriodicTimer(PingInterval, time);
        do
        {
            var silence = _pings.Silence();
            if (silence >= DeadAfter)
            {
                throw Ended(GrpcStatusCode.DeadlineExceeded, $"it owes an answer for {DeadAfter.TotalSeconds:0} s");
            }

            judged(silence, null);
            Send(new PeerRequest { Ping = _pings.Next() });
        }
        while (await timer.WaitForNextTickAsync(over));
    }

    private bool Send(PeerRequest request)
    {
        if (_outgoing.Writer.TryWrite(request))
        {
            return true;
        }

        _outgoing.Writer.TryComplete(Ended(GrpcStatusCode.ResourceExhausted, "it does not read what it is asked"));
        return false;
    }

    private static GrpcStatusException Ended(GrpcStatusCode code, string problem) => new(new GrpcStatus(code, problem));
}
