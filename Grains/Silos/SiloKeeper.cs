using System.Data.Common;
using Whip.Protocol;

namespace Whip.Grains.Silos;

/// <summary>
/// Starts the silo of this broker, and another one when it has died or could not start, without any effect on control streams and relays. One loop
/// owns the silo, follows its views and pings the others through it.
/// </summary>
internal sealed class SiloKeeper(SiloSetup setup, LocalRoutes local, MemberTable members, CurrentSilo current, ILoggerFactory loggers, TimeProvider time)
{
    private static readonly Backoff Retry = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(5));

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>A start takes a second or two; a longer one waits for a silo that does not answer.</summary>
    private static readonly TimeSpan SlowStart = TimeSpan.FromSeconds(5);

    private readonly ILogger _log = loggers.CreateLogger("Whip.Grains");
    private readonly SiloProblem _problem = new(setup.BrokerId, loggers.CreateLogger("Whip.Grains"), time);
    private readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Why this broker has no silo; null while it has one.</summary>
    public string? Problem => _problem.Text;

    /// <summary>Completes when this broker is a silo for the first time; fails with <see cref="MembershipRefusedException"/> when it cannot be one.</summary>
    public Task Joined => _joined.Task;

    /// <summary>Runs until cancelled, or until another process has taken this broker's place. The silo has left the cluster when it returns.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested && !members.Superseded.IsCompleted)
        {
            try
            {
                await setup.Store.MendAsync(SeenSilos.None, acceptNewer: _joined.Task.IsCompleted, cancellationToken);
                await using var silo = RunningSilo.Create(setup, local, members, loggers, time);
                await RunAsync(silo, cancellationToken);
                failures = 0;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception error) when (Causes(error).OfType<MembershipRefusedException>().FirstOrDefault() is { } refused)
            {
                if (_joined.TrySetException(refused))
                {
                    return;
                }

                members.Supersede(refused.Message);
            }
            catch (Exception error)
            {
                // Orleans wraps failures in exceptions of many types.
                var problem = Printable.Clean(SiloLoggerFactory.FirstLine(error.GetBaseException().Message));
                _problem.Failed(Causes(error).OfType<DbException>().FirstOrDefault() is { } refusal
                    ? Printable.Clean($"{setup.Store.Name}: {problem}{setup.Store.Hint(refusal)}", maxLength: 512)
                    : problem);
            }

            await Task.Delay(Retry.Delay(++failures, Random.Shared), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One silo from its start to its death.</summary>
    private async Task RunAsync(RunningSilo silo, CancellationToken cancellationToken)
    {
        using var siloEnd = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = FollowAsync(silo, siloEnd.Token);
        var pinging = new Pinger(members, silo.Calls.Brokers, time).RunAsync(siloEnd.Token);
        try
        {
            await StartAsync(silo, cancellationToken);
            _problem.Text = null;
            current.Replace(silo);
            _joined.TrySetResult();
            SiloLog.Started(_log, setup.BrokerId, silo.Address.ToString());
            var reason = await silo.Died.WaitAsync(cancellationToken);
            SiloLog.Ended(_log, setup.BrokerId, silo.Address.ToString(), reason);
            _problem.Text = "its silo has died, and another starts";
        }
        finally
        {
            current.Replace(null);
            await siloEnd.CancelAsync();
            await Task.WhenAll(following, pinging).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            members.Follow(null);
        }

        if (silo.Successor is { } successor)
        {
            members.Supersede($"another process is the silo {successor}, at the address of this broker's; give every broker addresses of its own");
        }
    }

    private async Task StartAsync(RunningSilo silo, CancellationToken cancellationToken)
    {
        var (starting, startedAt) = (silo.StartAsync(cancellationToken), time.GetTimestamp());
        while (await Task.WhenAny(starting, Task.Delay(LookInterval, time, cancellationToken)) != starting && !cancellationToken.IsCancellationRequested)
        {
            await silo.EndPredecessorsAsync();
            if (time.GetElapsedTime(startedAt) >= SlowStart && members.Silent is { Count: > 0 } silent)
            {
                _problem.Waits($"no answer from the silo of {string.Join(", ", silent)}");
            }
        }

        await starting;
    }

    private async Task FollowAsync(RunningSilo silo, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> known = [];
        await foreach (var snapshot in silo.Membership.MembershipUpdates.WithCancellation(cancellationToken))
        {
            // The first snapshot is from before the table was read.
            if (snapshot.Version != MembershipVersion.MinValue)
            {
                members.Follow(SiloView.Of(silo.Address, snapshot));
                if (!members.Silos.SequenceEqual(known))
                {
                    known = members.Silos;
                    SiloLog.Changed(_log, setup.BrokerId, Printable.Clean(string.Join(", ", known), maxLength: 4096));
                }
            }
        }
    }

    private static IEnumerable<Exception> Causes(Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            yield return cause;
        }
    }
}
