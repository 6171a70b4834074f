using Whip.Agent.ControlStreams;
using Whip.Protocol;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;

namespace Whip.Agent.Homes;

/// <summary>Keeps one control stream to one address, with a new one after each that ends, until it is retired.</summary>
internal sealed class Home : IDisposable
{
    /// <summary>The handshake and the registration take less, unless the broker is frozen or far.</summary>
    private static readonly TimeSpan SlowAfter = TimeSpan.FromSeconds(4);

    /// <summary>A home that has been back for this long is trusted again, and its stand-in is retired.</summary>
    private static readonly TimeSpan BackAfter = TimeSpan.FromSeconds(5);

    private static readonly Backoff Backoff = new(TimeSpan.FromSeconds(0.25), TimeSpan.FromSeconds(30));

    private readonly AgentContext _context;
    private readonly HomeAddress _home;
    private readonly bool _isOurs;
    private readonly HomeSet _owner;
    private readonly FailureCount _failures = new();
    private readonly CancellationTokenSource _retire = new();
    private volatile ControlStream? _stream;
    private volatile ControlStream? _next;
    private string _lastEnd = "";

    /// <summary>With <paramref name="isOurs"/> a broker is there that answers a registration, unlike an original server.</summary>
    public Home(AgentContext context, HomeAddress home, bool isOurs, HomeSet owner, CancellationToken abort)
    {
        _context = context;
        _home = home;
        _isOurs = isOurs;
        _owner = owner;
        Completion = Task.Run(() => RunAsync(abort), CancellationToken.None);
    }

    public HostPort Address => _home.Address;

    public bool IsName => _home.IsName;

    /// <summary>The broker that must answer, if another broker has claimed it.</summary>
    public BrokerClaim? Claim => _home.Claim;

    public Task Completion { get; }

    public bool IsAttached => Front?.Life.State == StreamState.Attached;

    public bool IsDraining => Front?.IsDraining ?? false;

    /// <summary>
    /// Unreliable: lost, slow to answer, or back for a moment only. One failure is enough, since a stand-in costs little and
    /// an agent without a stream cannot be dialled. An address that does not even accept the connection is slow much earlier (RFC 8305).
    /// </summary>
    public bool IsFailing => IsAttached ? _failures.InARow > 0 && Front?.Life.StoodFor < BackAfter : _failures.InARow > 0 || IsSlow;

    /// <summary>Attached, and there is no reason to leave.</summary>
    public bool IsSound => IsAttached && !IsFailing && !IsDraining;

    /// <summary>The broker that last answered at the address; empty if none has.</summary>
    public string BrokerId { get; private set; } = "";

    /// <summary>Of the newest stream; a broker keeps the stream with the highest.</summary>
    public ulong Generation => Front?.Generation ?? 0;

    /// <summary>The same while the stream is attached, else 0.</summary>
    public ulong AttachedGeneration => IsAttached ? Generation : 0;

    private bool IsSlow => Front is { } stream && stream.Life.Age >= (stream.IsConnected ? SlowAfter : Connector.NextAfter);

    /// <summary>The stream that counts: the broker ends the old one as soon as it has accepted the one that replaces it.</summary>
    private ControlStream? Front => _next is { } next && _stream is null or { Life.State: StreamState.Ended } ? next : _stream;

    public bool IsRetired => _retire.IsCancellationRequested;

    /// <summary>Ends the stream in good order and does not retry.</summary>
    public void Retire() => _retire.Cancel();

    public void Dispose() => _retire.Dispose();

    /// <summary>The state of its stream has changed. From any thread, and never made to wait.</summary>
    public void Changed()
    {
        if (Front?.BrokerId is { Length: > 0 } id)
        {
            BrokerId = id;
        }

        _owner.Changed();
    }

    /// <summary>A broker of ours, on a stream it has accepted, has named the brokers of its cluster.</summary>
    public void MembersNamed(Members members) => _owner.MembersNamed(members);

    private async Task RunAsync(CancellationToken abort)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_retire.Token, abort);
        try
        {
            while (true)
            {
                var held = await OpenAsync(isNext: false, abort, stop.Token);
                var (stream, end) = await HoldAsync(held, abort, stop.Token);
                stop.Token.ThrowIfCancellationRequested();
                await BackOffAsync(stream, end);
            }
        }
        catch (OperationCanceledException)
        {
        }

        _owner.Changed();
    }

    /// <summary>Waits for the turn of a new stream, whose age and deadlines count from then on.</summary>
    private async Task<HeldStream> OpenAsync(bool isNext, CancellationToken abort, CancellationToken stop)
    {
        HeldStream? held = null;
        await _context.Openings.BeginAsync(
            () =>
            {
                var stream = new ControlStream(_context, _home, _isOurs || BrokerId.Length > 0, this);
                (_stream, _next) = isNext ? (_stream, stream) : (stream, null);
                var leave = CancellationTokenSource.CreateLinkedTokenSource(_retire.Token);
                held = new HeldStream(stream, stream.RunAsync(leave.Token, abort), leave);
                return stream.WhenOpened;
            },
            stop);
        return held!;
    }

    /// <summary>Waits for the end of a stream. When it is due to be replaced, it leaves once the next one is attached.</summary>
    private async Task<(ControlStream Stream, StreamEnd End)> HoldAsync(HeldStream held, CancellationToken abort, CancellationToken stop)
    {
        var failures = 0;
        while (await Task.WhenAny(held.Running, held.Stream.RenewalDue) != held.Running && !stop.IsCancellationRequested)
        {
            var next = await NextAsync(abort, stop);
            if (next is null)
            {
                break;
            }

            if (await Task.WhenAny(next.Running, next.Stream.WhenAttached) != next.Running)
            {
                HomeLog.Renewed(_context.Log, _home);
                var old = held;
                (held, _stream, _next, failures) = (next, next.Stream, null, 0);
                await old.EndAsync();
            }
            else
            {
                _next = null;
                HomeLog.NotRenewed(_context.Log, _home, $"{await next.EndAsync()}");
                await Task.WhenAny(held.Running, Task.Delay(Backoff.Delay(++failures, Random.Shared), _context.Time, stop));
            }
        }

        var last = await held.Running;
        await held.EndAsync();
        return (held.Stream, last);
    }

    /// <summary>Null: the home is retired meanwhile.</summary>
    private async Task<HeldStream?> NextAsync(CancellationToken abort, CancellationToken stop)
    {
        try
        {
            return await OpenAsync(isNext: true, abort, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task BackOffAsync(ControlStream stream, StreamEnd end)
    {
        var stoodFor = stream.Life.StoodFor;
        _failures.Ended(stoodFor, wasRegistered: stream.BrokerId.Length > 0);

        // Such a broker confirms a stream that it takes; one that was slow to refuse may have counted as attached meanwhile.
        var isNotYet = end.IsPassing && stream.BrokerId.Length == 0;
        _lastEnd = stoodFor > TimeSpan.Zero && !isNotYet ? "" : _lastEnd;
        var delay = Backoff.Delay(_failures.InARow, Random.Shared);
        Report(end, isNotYet, delay);
        _context.Reconnects.WithLabels(end.Loss).Inc();
        _owner.Changed();
        await Task.Delay(delay, _context.Time, _retire.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Logs a reason once, however often it recurs.</summary>
    private void Report(StreamEnd end, bool isNotYet, TimeSpan delay)
    {
        var reason = end.ToString();
        if (reason == _lastEnd)
        {
            HomeLog.StillLost(_context.Log, _home, reason, _failures.InARow, delay.TotalSeconds);
            return;
        }

        _lastEnd = reason;
        if (isNotYet)
        {
            HomeLog.NotYet(_context.Log, _home, reason);
            return;
        }

        HomeLog.Lost(_context.Log, _home, reason, end.Advice);
    }

    /// <summary>A stream that runs, and what makes it leave in good order.</summary>
    private sealed record HeldStream(ControlStream Stream, Task<StreamEnd> Running, CancellationTokenSource Leave)
    {
        /// <summary>Makes it leave, unless it has ended, and waits for its end.</summary>
        public async Task<StreamEnd> EndAsync()
        {
            await Leave.CancelAsync();
            var end = await Running;
            Leave.Dispose();
            return end;
        }
    }
}
