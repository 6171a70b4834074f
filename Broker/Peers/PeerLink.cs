using Microsoft.Extensions.Logging;
using Whip.Protocol.Grpc;
using Whip.Protocol.Names;
using Whip.Registry.Membership;
using Whip.Registry.Peers;

namespace Whip.Broker.Peers;

/// <summary>
/// The link on which this broker asks one other. One loop opens it, again for ever once it is lost; <see cref="DisposeAsync"/> ends it.
/// <c>changed</c> is told when <see cref="Peer"/> has changed, <c>announced</c> the watched names that the broker holds. Owner of the state: the lock.
/// </summary>
internal sealed class PeerLink(
    BrokerMember member, ClusterCredentials self, Action changed, Action<string> announced, ILogger logger, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan SuspectAfter = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly HashSet<string> _watches = [];
    private Peer _peer = new(member, IsLinked: false, IsSilent: false, RoundTrip: null);
    private CancellationTokenSource _trust = new(TimeSpan.Zero);
    private PeerSession? _session;
    private bool _isSilent;
    private Task _running = Task.CompletedTask;

    public Peer Peer
    {
        get
        {
            lock (_lock)
            {
                return _peer;
            }
        }
    }

    /// <summary>Fires when the broker becomes suspect; cancelled already while it is.</summary>
    public CancellationToken Suspected
    {
        get
        {
            lock (_lock)
            {
                return _trust.Token;
            }
        }
    }

    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>What the cluster tells of the same start of the same broker.</summary>
    public void Update(BrokerMember told) => Change(() => _peer = _peer with { Member = told });

    public Task<NameReport?> LookupAsync(NameQuery query, CancellationToken cancellationToken) =>
        Volatile.Read(ref _session) is { } session ? session.LookupAsync(query, cancellationToken) : Task.FromResult<NameReport?>(null);

    public void Watch(string name)
    {
        lock (_lock)
        {
            _watches.Add(name);
            _session?.Watch(name);
        }
    }

    public void Unwatch(string name)
    {
        lock (_lock)
        {
            _watches.Remove(name);
            _session?.Unwatch(name);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        var failures = 0;
        GrpcStatusCode? told = null;
        while (!_stop.IsCancellationRequested)
        {
            var startedAt = time.GetTimestamp();
            var (wasLinked, end) = await OnceAsync();
            failures = wasLinked && time.GetElapsedTime(startedAt) >= LastRetry ? 0 : failures + 1;
            if (_stop.IsCancellationRequested)
            {
                return;
            }

            if (wasLinked)
            {
                PeerLog.Lost(logger, _peer.Id, _peer.Member.ExternalGrpc, Printable.Clean(end.ToString()));
            }
            else if (told != end.Code)
            {
                PeerLog.NotLinked(logger, _peer.Id, _peer.Member.ExternalGrpc, Printable.Clean(end.ToString()));
            }

            told = end.Code;
            await PauseAsync(failures);
        }
    }

    /// <summary>One link from its connection to its end. Never throws.</summary>
    private async Task<(bool WasLinked, GrpcStatus End)> OnceAsync()
    {
        var linked = false;
        try
        {
            var (call, _) = await PeerDialer.OpenAsync(self, _peer.Id, _peer.Member.ExternalGrpc, time, _stop.Token);
            await using (call)
            {
                var session = new PeerSession(call, time, Judged, announced);
                linked = true;
                Attach(session);
                return (true, await session.RunAsync(_stop.Token));
            }
        }
        catch (GrpcStatusException error)
        {
            return (linked, error.Status);
        }
        catch (OperationCanceledException)
        {
            return (linked, new GrpcStatus(GrpcStatusCode.Cancelled, "ended by this broker"));
        }
        catch (Exception error)
        {
            PeerLog.LinkFailed(logger, _peer.Id, error);
            return (linked, new GrpcStatus(GrpcStatusCode.Internal, "a fault of this broker"));
        }
        finally
        {
            Change(() => _session = null);
        }
    }

    /// <summary>The watches go first: who sees the link sees them stand.</summary>
    private void Attach(PeerSession session)
    {
        PeerLog.Linked(logger, _peer.Id, _peer.Member.ExternalGrpc);
        Change(() =>
        {
            foreach (var name in _watches)
            {
                session.Watch(name);
            }

            (_session, _isSilent) = (session, false);
        });
    }

    private void Judged(TimeSpan silence, TimeSpan? roundTrip)
    {
        var isSilent = silence >= SuspectAfter;
        var wasSilent = false;
        Change(() =>
        {
            wasSilent = _isSilent;
            _isSilent = isSilent;
            _peer = _peer with { RoundTrip = roundTrip ?? _peer.RoundTrip };
        });
        if (isSilent && !wasSilent)
        {
            PeerLog.Suspect(logger, _peer.Id, SuspectAfter.TotalSeconds);
        }
        else if (wasSilent && !isSilent)
        {
            PeerLog.TrustedAgain(logger, _peer.Id);
        }
    }

    private void Change(Action change)
    {
        CancellationTokenSource? lostTrust = null;
        lock (_lock)
        {
            var before = _peer;
            change();
            _peer = _peer with { IsLinked = _session is not null, IsSilent = _isSilent };
            if (_peer == before)
            {
                return;
            }

            if (_peer.IsSuspect && !before.IsSuspect)
            {
                lostTrust = _trust;
            }
            else if (before.IsSuspect && !_peer.IsSuspect)
            {
                _trust = new CancellationTokenSource();
            }
        }

        lostTrust?.Cancel();
        changed();
    }

    /// <summary>Full jitter: brokers that lost one another do not come back in step.</summary>
    private async Task PauseAsync(int failures)
    {
        var most = FirstRetry * Math.Pow(2, Math.Min(failures, 8));
        var delay = Random.Shared.NextDouble() * (most < LastRetry ? most : LastRetry);
        await Task.Delay(delay, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
