using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Whip.Agent.Checks;
using Whip.Agent.Homes;
using Whip.Agent.Legs;
using Whip.Protocol.ControlStreams;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;
using ControlCall = Grpc.Core.AsyncDuplexStreamingCall<Whip.Protocol.Messages.RequestStream, Whip.Protocol.Messages.ResponseStream>;

namespace Whip.Agent.ControlStreams;

/// <summary>
/// The life of one control stream, from the connection to its end. Three loops share it: one reads, one writes what the others
/// queue, one watches the clock; the first to end gives the reason and ends the others. The connects it asked for outlive it.
/// </summary>
internal sealed class ControlStream
{
    private static readonly TimeSpan DetachTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// An original server that refuses a registration does so at once; one that accepts it says nothing for long. A broker of
    /// ours that says nothing has not read it.
    /// </summary>
    private static readonly TimeSpan AcceptedAfter = TimeSpan.FromSeconds(1);

    private readonly AgentContext _context;
    private readonly HomeAddress _home;
    private readonly HttpProxy? _via;
    private readonly bool _isOurs;
    private readonly Home _owner;
    private readonly Liveness _liveness;
    private readonly LegTargets _targets;
    private readonly ConnectHandler _connects;
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _attached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly LeafLife _leaves;
    private readonly ToldHealth _health;

    // What is sent beyond this waits with its sender.
    private readonly Channel<RequestStream> _outbox = Channel.CreateBounded<RequestStream>(256);
    private long _registeredAt;
    private volatile bool _isConnected;

    public ControlStream(AgentContext context, HomeAddress home, bool isOurs, Home owner)
    {
        _context = context;
        _home = home;
        _via = context.Settings.Via.To(home.Endpoint);
        _owner = owner;
        Life = new StreamLife(context.Time);
        Generation = context.NextGeneration();
        _isOurs = isOurs;
        _liveness = new Liveness(context.Limits, context.Time);
        _targets = new LegTargets(home, context);
        _leaves = new LeafLife(context.Identity, context.Time);
        _health = new ToldHealth(context.Checks, context.Time);
        _connects = new ConnectHandler(context, _targets, SendAsync);
    }

    public ulong Generation { get; }

    /// <summary>Completes when the connection is established or has failed.</summary>
    public Task WhenOpened => _opened.Task;

    /// <summary>The TCP connection is established.</summary>
    public bool IsConnected => _isConnected;

    /// <summary>Completes when the broker has accepted the stream; never if it does not.</summary>
    public Task WhenAttached => _attached.Task;

    /// <summary>Completes when the stream should be replaced, because of its certificates.</summary>
    public Task RenewalDue => _leaves.RenewalDue;

    public StreamLife Life { get; }

    public bool IsDraining { get; private set; }

    public string BrokerId { get; private set; } = "";

    /// <summary>Runs the stream to its end. <paramref name="detach"/> ends it in good order, <paramref name="abort"/> at once. Never throws.</summary>
    public async Task<StreamEnd> RunAsync(CancellationToken detach, CancellationToken abort)
    {
        using var ended = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _context.Time);
        await using var onAbort = abort.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), ended);
        var end = await EndOfAsync(() => OpenAndLiveAsync(ended, detach));
        _opened.TrySetResult();
        if (Life.MoveTo(StreamState.Ended) && Life.WasAttached)
        {
            _context.Streams.Dec();
        }

        _owner.Changed();
        return end;
    }

    private async Task<StreamEnd> OpenAndLiveAsync(CancellationTokenSource ended, CancellationToken detach)
    {
        using var connection = await ConnectAsync(ended.Token, detach);
        _opened.TrySetResult();
        _leaves.PeerIs(connection.Peer);
        _targets.AskedBy(connection.Peer);

        // Nothing is sent to an address that another broker named before it has proved to be that broker.
        if (_home.Claim is { } claim && connection.Peer is { } peer && !peer.IsBroker(claim.ClusterId, claim.BrokerId))
        {
            return StreamEnd.NotTheBroker(claim);
        }

        using var call = connection.Client.Register(cancellationToken: ended.Token);
        _outbox.Writer.TryWrite(new RequestStream { Register = _context.NewRegister(Generation, _health) });
        await using var onDetach = detach.UnsafeRegister(_ => Detach(ended), null);
        return await LiveAsync(call, ended);
    }

    private async Task<ControlConnection> ConnectAsync(CancellationToken ended, CancellationToken detach)
    {
        using var opening = CancellationTokenSource.CreateLinkedTokenSource(ended, detach);
        return await ControlConnection.OpenAsync(
            _home.Address, _home.Endpoint, _context.Identity, _context.Time, opening.Token, () => _isConnected = true, _via);
    }

    private async Task<StreamEnd> LiveAsync(ControlCall call, CancellationTokenSource ended)
    {
        var loops = new List<Task<StreamEnd>>
        {
            EndOfAsync(() => ReadAsync(call, ended.Token)),
            EndOfAsync(() => WriteAsync(call, ended.Token)),
            EndOfAsync(() => WatchAsync(ended.Token)),
        };
        var first = await Task.WhenAny(loops);
        await ended.CancelAsync();
        await Task.WhenAll(loops);
        return await first;
    }

    private async Task<StreamEnd> ReadAsync(ControlCall call, CancellationToken ended)
    {
        try
        {
            // The call itself has the token: one of the read would end the call too.
            while (await call.ResponseStream.MoveNext(CancellationToken.None))
            {
                _liveness.Heard();
                if (await HandleAsync(call.ResponseStream.Current, ended) is { } end)
                {
                    return end;
                }
            }

            return StreamEnd.Closed;
        }
        catch (RpcException error) when (!ended.IsCancellationRequested)
        {
            var isUnanswered = !call.ResponseHeadersAsync.IsCompletedSuccessfully;
            return StreamEnd.Of(
                error, _context.Identity is { } identity && isUnanswered ? TlsRefusal.Unanswered(identity, _context.Time.GetUtcNow()) : null, _via);
        }
    }

    /// <summary>Null: the stream continues.</summary>
    private async ValueTask<StreamEnd?> HandleAsync(ResponseStream message, CancellationToken ended)
    {
        if (Life.State < StreamState.Attached && message.StreamCase is ResponseStream.StreamOneofCase.Ping or ResponseStream.StreamOneofCase.Connect)
        {
            Attach(brokerId: "");
        }

        switch (message.StreamCase)
        {
            case ResponseStream.StreamOneofCase.Connect:
                await _connects.StartAsync(message.Connect, ended);
                break;
            case ResponseStream.StreamOneofCase.Cancel:
                _connects.Cancel(message.Cancel);
                break;
            case ResponseStream.StreamOneofCase.Ping:
                await SendAsync(new RequestStream { Pong = Answer(message.Ping) }, ended);
                break;
            case ResponseStream.StreamOneofCase.Pong:
                _liveness.Ponged(message.Pong.Sequence);
                break;
            case ResponseStream.StreamOneofCase.Registered:
                if (_home.Claim is { } claim && claim.BrokerId != message.Registered.BrokerId)
                {
                    return StreamEnd.NotTheBroker(claim);
                }

                Accepted(message.Registered);
                break;
            case ResponseStream.StreamOneofCase.Members:
                if (BrokerId.Length > 0)
                {
                    _owner.MembersNamed(message.Members);
                }

                break;
            case ResponseStream.StreamOneofCase.Drain:
                IsDraining = true;
                ControlStreamLog.Draining(_context.Log, _home);
                _owner.Changed();
                break;
        }

        return null;
    }

    /// <summary>Sends what the other loops queue; ends our direction once nothing more can be queued.</summary>
    private async Task<StreamEnd> WriteAsync(ControlCall call, CancellationToken ended)
    {
        try
        {
            await foreach (var message in _outbox.Reader.ReadAllAsync(ended))
            {
                await call.RequestStream.WriteAsync(message, ended);
                if (Life.MoveTo(StreamState.Registering))
                {
                    Volatile.Write(ref _registeredAt, _context.Time.GetTimestamp());
                }
            }

            await call.RequestStream.CompleteAsync();
        }
        catch (Exception error) when (error is RpcException or HttpRequestException or IOException)
        {
            // The call has ended, and its reader gets the status.
        }

        await Task.Delay(Timeout.Infinite, ended);
        return StreamEnd.Cancelled;
    }

    private async Task<StreamEnd> WatchAsync(CancellationToken ended)
    {
        using var ticks = new PeriodicTimer(TimeSpan.FromSeconds(1), _context.Time);
        while (true)
        {
            await ticks.WaitForNextTickAsync(ended);
            if (_liveness.Overdue() is { } silence)
            {
                return StreamEnd.Silent(silence);
            }

            if (_leaves.Look() is { } problem)
            {
                return StreamEnd.PeerRefused(problem);
            }

            if (_liveness.NextPing() is { } sequence)
            {
                _outbox.Writer.TryWrite(new RequestStream { Ping = new Ping { Sequence = sequence, PingTimestamp = Now() } });
            }

            if (BrokerId.Length > 0)
            {
                _health.Tell(health => _outbox.Writer.TryWrite(new RequestStream { Health = health }));
            }

            var registeredAt = Volatile.Read(ref _registeredAt);
            if (!_isOurs && Life.State == StreamState.Registering && registeredAt != 0 && _context.Time.GetElapsedTime(registeredAt) >= AcceptedAfter)
            {
                Attach(brokerId: "");
            }
        }
    }

    private void Accepted(Registered registered)
    {
        _liveness.ExpectPongs();
        _targets.AllowOnly(registered.LegEndpoints);
        Attach(Printable.Clean(registered.BrokerId));
    }

    private void Attach(string brokerId)
    {
        var isConfirmed = brokerId.Length > 0 && BrokerId.Length == 0;
        BrokerId = brokerId.Length > 0 ? brokerId : BrokerId;
        if (isConfirmed)
        {
            ControlStreamLog.Attached(_context.Log, _context.Settings.Name, _home, brokerId);
        }

        if (Life.MoveTo(StreamState.Attached))
        {
            _context.Streams.Inc();
            _attached.TrySetResult();
            if (!isConfirmed)
            {
                ControlStreamLog.Unconfirmed(_context.Log, _home, _context.Settings.Name);
            }
        }

        _owner.Changed();
    }

    private void Detach(CancellationTokenSource ended)
    {
        Life.MoveTo(StreamState.Detaching);
        _outbox.Writer.TryComplete();
        ended.CancelAfter(DetachTimeout);
        _owner.Changed();
    }

    /// <summary>Waits for room in the outbox; a stream that has ended or detaches swallows the message.</summary>
    private async ValueTask SendAsync(RequestStream message, CancellationToken cancellationToken)
    {
        while (await _outbox.Writer.WaitToWriteAsync(cancellationToken))
        {
            if (_outbox.Writer.TryWrite(message))
            {
                return;
            }
        }
    }

    private Pong Answer(Ping ping) => new() { Sequence = ping.Sequence, PingTimestamp = ping.PingTimestamp, PongTimestamp = Now() };

    private Timestamp Now() => Timestamp.FromDateTimeOffset(_context.Time.GetUtcNow());

    /// <summary>Runs a loop and turns every way it can fail into a reason.</summary>
    private async Task<StreamEnd> EndOfAsync(Func<Task<StreamEnd>> loop)
    {
        try
        {
            return await loop();
        }
        catch (OperationCanceledException)
        {
            return StreamEnd.Cancelled;
        }
        catch (RpcException error)
        {
            // Of the connection that did not come about, or of a call that was cancelled here.
            return error.StatusCode == StatusCode.Cancelled ? StreamEnd.Cancelled : StreamEnd.Unconnected(error);
        }
        catch (Exception error)
        {
            ControlStreamLog.StreamFaulted(_context.Log, _home, error);
            return StreamEnd.Faulted;
        }
    }
}
