using System.Data.Common;
using Microsoft.Extensions.Logging;
using Whip.Grains.Members;
using Whip.Grains.Membership;
using Whip.Protocol;
using Whip.Protocol.Names;
using Whip.Registry.Routes;

namespace Whip.Grains.Silos;

/// <summary>
/// Keeps this broker a silo: starts one, and another when it died or could not start. Its control streams and relays do not notice. One loop owns
/// the silo, follows its views and pings the others through it.
/// </summary>
internal sealed class SiloKeeper(SiloSetup setup, LocalRoutes local, MemberTable members, CurrentSilo current, ILoggerFactory loggers, TimeProvider time)
{
    private static readonly Backoff Retry = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(5));

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>A start takes a second or two; what takes longer waits for a silo that does not answer.</summary>
    private static readonly TimeSpan SlowStart = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan TellInterval = TimeSpan.FromMinutes(1);

    private readonly ILogger _log = loggers.CreateLogger("Whip.Grains");
    private readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _toldAt;

    /// <summary>Null: there is none now.</summary>
    public RunningSilo? Silo { get; private set; }

    /// <summary>What this broker waits for to be a silo; null while it is one.</summary>
    public string? Problem { get; private set; } = "its first silo starts";

    /// <summary>Completes when this broker is a silo for the first time; fails with <see cref="MembershipRefusedException"/> when it cannot be one.</summary>
    public Task Joined => _joined.Task;

    /// <summary>Runs until cancelled, or until another process has taken this broker's place; the silo has left the cluster then.</summary>
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
                // Orleans wraps what went wrong in exceptions of all kinds.
                var problem = Printable.Clean(error.GetBaseException().Message);
                Tell(Causes(error).OfType<DbException>().Any() ? $"{setup.Store.Name}: {problem}" : problem);
            }

            await Task.Delay(Retry.Delay(++failures, Random.Shared), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One silo from its start to its death.</summary>
    private async Task RunAsync(RunningSilo silo, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = FollowAsync(silo, over.Token);
        var pinging = new Pinger(members, silo.Calls.Brokers, time).RunAsync(over.Token);
        try
        {
            await StartAsync(silo, cancellationToken);
            (Silo, Problem) = (silo, null);
            current.Replace(silo.Calls);
            _joined.TrySetResult();
            SiloLog.Started(_log, setup.BrokerId, silo.Address.ToString());
            var reason = await silo.Died.WaitAsync(cancellationToken);
            SiloLog.Ended(_log, setup.BrokerId, silo.Address.ToString(), reason);
            Problem = "its silo has died, and another starts";
        }
        finally
        {
            Silo = null;
            current.Replace(null);
            await over.CancelAsync();
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
                Tell($"no answer from the silo of {string.Join(", ", silent)}");
            }
        }

        await starting;
    }

    private async Task FollowAsync(RunningSilo silo, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> known = [];
        await foreach (var snapshot in silo.Membership.MembershipUpdates.WithCancellation(cancellationToken))
        {
            // The first one is from before the table was read.
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

    /// <summary>At once when it is something else than before, and again every minute.</summary>
    private void Tell(string problem)
    {
        if (problem != Problem || time.GetElapsedTime(_toldAt) >= TellInterval)
        {
            SiloLog.Waiting(_log, setup.BrokerId, problem);
            (Problem, _toldAt) = (problem, time.GetTimestamp());
        }
    }
}
