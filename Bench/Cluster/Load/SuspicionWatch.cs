using System.Diagnostics;
using Whip.Harness.Cluster;
using Whip.Protocol.Admin;

namespace Whip.Bench.Cluster.Load;

/// <summary>Asks the brokers that run what they think of one that does not.</summary>
internal static class SuspicionWatch
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>The time from <paramref name="since"/> until every running broker takes the victim for suspect, or knows it no more.</summary>
    public static Task<TimeSpan> WhenSuspectAsync(LocalCluster cluster, LocalBroker victim, long since, CancellationToken cancellationToken) =>
        WhenAllSeeAsync(cluster, status => !status.Members.Any(member => member.Id == victim.Id && !member.IsSuspect), since, cancellationToken);

    /// <summary>The same until every running broker knows the victim no more.</summary>
    public static Task<TimeSpan> WhenGoneAsync(LocalCluster cluster, LocalBroker victim, long since, CancellationToken cancellationToken) =>
        WhenAllSeeAsync(cluster, status => !status.Members.Any(member => member.Id == victim.Id), since, cancellationToken);

    /// <summary>The same until no running broker's silo takes the victim for one.</summary>
    public static Task<TimeSpan> WhenNoSiloAsync(LocalCluster cluster, LocalBroker victim, long since, CancellationToken cancellationToken) =>
        WhenAllSeeAsync(cluster, status => status.Silos?.Contains(victim.Id) != true, since, cancellationToken);

    private static async Task<TimeSpan> WhenAllSeeAsync(
        LocalCluster cluster, Func<BrokerStatus, bool> isSeen, long since, CancellationToken cancellationToken)
    {
        while (true)
        {
            var running = cluster.Brokers.Where(broker => broker.IsRunning).ToList();
            var statuses = await Task.WhenAll(running.Select(broker => broker.ReadStatusAsync(cancellationToken)));
            if (statuses.All(isSeen))
            {
                return Stopwatch.GetElapsedTime(since);
            }

            await Task.Delay(Interval, cancellationToken);
        }
    }
}
