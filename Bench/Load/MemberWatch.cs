using Whip.Protocol.Admin;

namespace Whip.Bench.Load;

/// <summary>Asks the running brokers what they know of one that is down.</summary>
internal sealed class MemberWatch(LocalCluster cluster, LocalBroker victim)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>The seconds from <paramref name="since"/> until the victim is suspect everywhere, or no member.</summary>
    public Task<double> WhenSuspectAsync(long since, CancellationToken cancellationToken) =>
        WhenAllAsync("suspect", status => !status.Members.Any(member => member.Id == victim.Id && !member.IsSuspect), since, cancellationToken);

    /// <summary>The seconds from <paramref name="since"/> until the victim is no member anywhere.</summary>
    public Task<double> WhenGoneAsync(long since, CancellationToken cancellationToken) =>
        WhenAllAsync("gone", status => !status.Members.Any(member => member.Id == victim.Id), since, cancellationToken);

    /// <summary>The seconds from <paramref name="since"/> until no broker's silo takes the victim for an active silo.</summary>
    public Task<double> WhenNoSiloAsync(long since, CancellationToken cancellationToken) =>
        WhenAllAsync("without a silo", status => status.Silos?.Contains(victim.Id) != true, since, cancellationToken);

    private async Task<double> WhenAllAsync(string state, Func<BrokerStatus, bool> isReached, long since, CancellationToken cancellationToken)
    {
        return await Polling.UntilAsync(AskAllAsync, Timeout, Interval, cancellationToken)
            ? Stopwatch.GetElapsedTime(since).TotalSeconds
            : throw new PartFailedException(victim.Id, $"not {state} everywhere within {Timeout.TotalSeconds} s", []);

        async Task<bool> AskAllAsync()
        {
            var statuses = cluster.Brokers.Where(broker => broker.IsRunning).Select(broker => broker.ReadStatusAsync(cancellationToken));
            return (await Task.WhenAll(statuses)).All(isReached);
        }
    }
}
