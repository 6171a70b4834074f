using Microsoft.Extensions.Logging;
using Whip.Grains.Membership;
using Whip.Protocol.Names;
using Whip.Registry.Membership;
using Whip.Registry.Routes;

namespace Whip.Grains.Silo;

/// <summary>
/// Keeps this broker a silo: starts one, and another when it died or could not start. Without one the broker serves all the
/// same, and asks the others itself. One loop owns the silo.
/// </summary>
internal sealed class SiloKeeper(SiloSetup setup, LocalRoutes local, CurrentSilo current, ILoggerFactory loggers, TimeProvider time)
{
    private static readonly TimeSpan RetryLeast = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RetryMost = TimeSpan.FromSeconds(5);

    /// <summary>Joining takes a second or two; it takes longer when others have just died.</summary>
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly ILogger _log = loggers.CreateLogger("Whip.Grains");
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Null: there is none now.</summary>
    public RunningSilo? Silo { get; private set; }

    /// <summary>The names of the silos that it sees, in order; empty while there is none.</summary>
    public IReadOnlyList<string> Silos { get; private set; } = [];

    /// <summary>Completes when this broker is a silo for the first time; fails if it cannot be one.</summary>
    public Task Started => _started.Task;

    /// <summary>Runs until cancelled; the silo has left the cluster then.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await using var silo = await StartAsync(cancellationToken);
                failures = 0;
                await StayAsync(silo, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                break;
            }
            catch (MembershipRefusedException error)
            {
                _started.TrySetException(error);
                break;
            }
            catch (Exception error)
            {
                // Orleans wraps what went wrong in exceptions of all kinds.
                SiloLog.NotStarted(_log, setup.BrokerId, Printable.Clean(error.GetBaseException().Message));
            }

            var pause = TimeSpan.FromSeconds(Math.Min(RetryMost.TotalSeconds, RetryLeast.TotalSeconds * Math.Pow(2, failures++)));
            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<RunningSilo> StartAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StartTimeout);
        await setup.Store.MendAsync(SeenSilos.None, acceptNewer: _started.Task.IsCompleted, limit.Token);
        return await RunningSilo.StartAsync(setup, local, loggers, time, limit.Token);
    }

    /// <summary>Returns when there has to be another silo.</summary>
    private async Task StayAsync(RunningSilo silo, CancellationToken cancellationToken)
    {
        Silo = silo;
        current.Replace(silo.Calls);
        _started.TrySetResult();
        SiloLog.Started(_log, setup.BrokerId, silo.Address.ToString());
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = FollowAsync(silo, over.Token);
        await Task.WhenAny(silo.Died, following);
        await over.CancelAsync();
        await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        (Silo, Silos) = (null, []);
        current.Replace(null);
        cancellationToken.ThrowIfCancellationRequested();
        SiloLog.Ended(_log, setup.BrokerId, silo.Address.ToString(), silo.Died.IsCompleted ? await silo.Died : "its view of the cluster has ended");
    }

    private async Task FollowAsync(RunningSilo silo, CancellationToken cancellationToken)
    {
        HashSet<SiloAddress> known = [];
        await foreach (var view in silo.Membership.MembershipUpdates.WithCancellation(cancellationToken))
        {
            var active = view.Members.Values.Where(member => member.Status == SiloStatus.Active).ToList();
            if (!known.SetEquals(active.Select(member => member.SiloAddress)))
            {
                known = [.. active.Select(member => member.SiloAddress)];
                Silos = [.. active.Select(member => member.Name).Order(StringComparer.Ordinal)];
                SiloLog.Changed(_log, setup.BrokerId, string.Join(", ", Silos));
                current.Changed();
            }
        }
    }
}
