using Microsoft.Extensions.Logging;
using Npgsql;
using Whip.Registry.Membership;

namespace Whip.Registry.Postgres;

/// <summary>
/// The brokers of a cluster as rows of one table, each with a lease that its broker renews. One loop owns the connection and all state of the
/// lease; a look is one round trip that renews and reads, each second and whenever another broker says that something changed.
/// </summary>
internal sealed class PostgresMembership : IClusterMembership
{
    private readonly PostgresMembershipOptions _options;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly NpgsqlDataSource _source;
    private readonly DatabaseContact _contact;
    private readonly LeaseJudge _judge;
    private readonly MemberList _members = new();
    private readonly CancellationTokenSource _superseded = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<string, DateTime> _leasesInTheWay = [];
    private CancellationTokenSource _pause = new();
    private Task? _run;
    private volatile bool _isDraining;
    private volatile bool _isLeaving;
    private long _currentUntil = long.MinValue;

    // The loop's own.
    private BrokerMember _self;
    private bool _hasRow;
    private bool _toldDraining;

    /// <param name="self">Its flags and its incarnation are not looked at.</param>
    /// <param name="options">Where, and how fast.</param>
    /// <param name="loggerFactory">Is told host and port, never the connection string.</param>
    /// <param name="time">For pauses and for judging the own connection; leases go by the database's clock.</param>
    /// <exception cref="FormatException">The connection string is none.</exception>
    public PostgresMembership(BrokerMember self, PostgresMembershipOptions options, ILoggerFactory loggerFactory, TimeProvider time)
    {
        _self = self with { Incarnation = 0, IsSuspect = false, IsDraining = false };
        _options = options;
        _time = time;
        _log = loggerFactory.CreateLogger("Whip.Registry");
        var connection = PostgresConnectionString.Parse(options.ConnectionString);
        connection.Pooling = false;
        connection.Timeout = Math.Max(1, (int)options.Timeout.TotalSeconds);
        connection.CommandTimeout = 0;
        connection.ApplicationName ??= $"whip-broker {self.Id}";
        _source = new NpgsqlDataSourceBuilder(connection.ConnectionString).Build();
        _contact = new DatabaseContact(_log, PostgresConnectionString.Server(connection), options, time);
        _judge = new LeaseJudge(options, time);
    }

    public IReadOnlyList<BrokerMember> Members => _members.Current;

    public bool IsCurrent => _time.GetTimestamp() < Volatile.Read(ref _currentUntil);

    public CancellationToken Superseded => _superseded.Token;

    private bool HasJoined => _joined.Task.IsCompleted;

    public Task JoinAsync(CancellationToken cancellationToken)
    {
        if (_run is not null)
        {
            throw new InvalidOperationException("a membership joins once");
        }

        _run = Task.Run(RunAsync, CancellationToken.None);
        return _joined.Task.WaitAsync(cancellationToken);
    }

    public void SetDraining(bool isDraining)
    {
        _isDraining = isDraining;
        _members.SetDraining(_self.Id, isDraining);
        EndPause();
    }

    public Task WaitForChangeAsync(IReadOnlyList<BrokerMember> seen, CancellationToken cancellationToken) =>
        _members.WaitForChangeAsync(seen, cancellationToken);

    public Task LeaveAsync(CancellationToken cancellationToken)
    {
        _isLeaving = true;
        EndPause();
        return _run?.WaitAsync(cancellationToken) ?? Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        EndPause();
        await (_run ?? Task.CompletedTask);
        await _source.DisposeAsync();
    }

    private async Task RunAsync()
    {
        while (await ConnectAsync() is { } retryIn)
        {
            var pause = StartPause(retryIn);
            if (!_isLeaving && !_stop.IsCancellationRequested)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, pause).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        Volatile.Write(ref _currentUntil, long.MinValue);
        _joined.TrySetCanceled(CancellationToken.None);
        if (_isLeaving)
        {
            _members.Update(_ => []);
        }
    }

    /// <summary>One connection's life.</summary>
    /// <returns>When to try the next; null when this broker needs none.</returns>
    private async Task<TimeSpan?> ConnectAsync()
    {
        var isLastAttempt = _isLeaving;
        try
        {
            await using var table = await BrokerTable.OpenAsync(_source, _options, _time, acceptNewer: HasJoined, _stop.Token);
            if (table.FoundVersion < PostgresSchema.Version)
            {
                PostgresLog.Migrated(_log, table.FoundVersion, PostgresSchema.Version);
            }

            // Who leaves while this broker joins is gone; who has no row when the database is back may only be late.
            _judge.StartGrace(keepAbsent: HasJoined);
            await ServeAsync(table);
            return null;
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            return null;
        }
        catch (MembershipRefusedException e)
        {
            _joined.TrySetException(e);
            return null;
        }
        catch (Exception e)
        {
            var retryIn = _contact.Failed(e, HasJoined);
            if (isLastAttempt)
            {
                PostgresLog.LeftUntold(_log, _self.Id);
            }

            return isLastAttempt ? null : retryIn;
        }
    }

    private async Task ServeAsync(BrokerTable table)
    {
        var goesOn = true;
        while (goesOn)
        {
            var pause = StartPause(_options.RenewInterval);
            if (_isLeaving)
            {
                await table.LeaveAsync(_self);
                return;
            }

            goesOn = HasJoined ? await LookAsync(table) : !await TryEnterAsync(table) || await LookAsync(table);
            if (goesOn)
            {
                await table.WaitForHintAsync(pause);
                _stop.Token.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>
    /// Enters the table as soon as nobody is in the way. Whoever is may have crashed: if it renews its lease it lives, and if the lease is
    /// stale it is replaced.
    /// </summary>
    /// <exception cref="MembershipRefusedException">Another broker with this id or an address of this one lives.</exception>
    private async Task<bool> TryEnterAsync(BrokerTable table)
    {
        if (_self.Incarnation == 0)
        {
            _self = _self with { Incarnation = await table.NextIncarnationAsync(_self.Id) };
        }

        // A database that was there at once gives no reason for a lease to be stale but the crash of its broker.
        var inTheWay = await table.EnterAsync(_self, replaceable: _contact.IsAway && _judge.IsInGrace ? null : _options.SuspectAfter);
        foreach (var (other, lease, _) in inTheWay)
        {
            if (_leasesInTheWay.TryAdd(other.Id, lease))
            {
                PostgresLog.InTheWay(_log, Describe(other));
            }
            else if (_leasesInTheWay[other.Id] != lease)
            {
                throw Refused(other);
            }

            if (other.Id == _self.Id && other.Incarnation > _self.Incarnation)
            {
                _self = _self with { Incarnation = 0 };
            }
        }

        return _hasRow = inTheWay.Count == 0;
    }

    /// <returns>False if this broker is superseded.</returns>
    private async Task<bool> LookAsync(BrokerTable table)
    {
        _self = _self with { IsDraining = _isDraining };
        var (isRenewed, rows) = await table.RenewAsync(_self, notify: _self.IsDraining != _toldDraining);
        if (!isRenewed && await PutBackAsync(table) is { } other)
        {
            PostgresLog.Superseded(_log, _self.Id, _self.Incarnation, Describe(other));
            await _superseded.CancelAsync();
            return false;
        }

        _toldDraining = _self.IsDraining;
        _judge.CompareClocks(rows);
        if (_members.Update(known => _judge.Judge(_self with { IsDraining = _isDraining }, known, rows)))
        {
            PostgresLog.Changed(_log, string.Join(", ", Members));
        }

        Volatile.Write(ref _currentUntil, _time.GetTimestamp() + (long)(_options.SuspectAfter.TotalSeconds * _time.TimestampFrequency));
        _contact.Answered();
        if (_joined.TrySetResult())
        {
            PostgresLog.Joined(_log, _self.Id, _self.Incarnation, _options.ClusterId);
        }

        var lost = _options.DropAfter + _options.Grace;
        if (!_judge.IsInGrace && rows.Any(r => r.Age > lost))
        {
            await table.RemoveAsync(lost);
        }

        return true;
    }

    /// <summary>The row of this broker is gone: it comes back, unless another has taken its place.</summary>
    /// <returns>The other one.</returns>
    private async Task<BrokerMember?> PutBackAsync(BrokerTable table)
    {
        if (_hasRow)
        {
            // The rows of the others may have gone with it.
            _judge.StartGrace(keepAbsent: true);
            _hasRow = false;
        }

        var inTheWay = await table.EnterAsync(_self, replaceable: _judge.IsInGrace ? null : _options.SuspectAfter);
        foreach (var row in inTheWay)
        {
            if (!_judge.IsStale(row) || (row.Member.Id == _self.Id && row.Member.Incarnation > _self.Incarnation))
            {
                return row.Member;
            }
        }

        _hasRow = inTheWay.Count == 0;
        if (_hasRow)
        {
            PostgresLog.PutBack(_log, _self.Id);
        }

        return null;
    }

    /// <summary>
    /// Called before the loop reads what <see cref="EndPause"/> tells a change of, so that it sleeps over none. Not disposed: whoever ends it
    /// may still hold it, and it dies with its timer.
    /// </summary>
    private CancellationToken StartPause(TimeSpan length)
    {
        var pause = new CancellationTokenSource(length, _time);
        Interlocked.Exchange(ref _pause, pause);
        return pause.Token;
    }

    private void EndPause() => Volatile.Read(ref _pause).Cancel();

    private MembershipRefusedException Refused(BrokerMember other) => new(other.Id == _self.Id
        ? $"the broker id {_self.Id} is in use in cluster {_options.ClusterId}, by {Describe(other)}; give every broker an id of its own"
        : $"{Describe(other)} of cluster {_options.ClusterId} has an external address of {Describe(_self)}; give every broker addresses of its own");

    private static string Describe(BrokerMember member) =>
        $"{member.Id} (grpc {member.ExternalGrpc}, tcp {member.ExternalTcp}, dial {member.ExternalDial}, incarnation {member.Incarnation})";
}
