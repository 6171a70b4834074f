using Whip.Protocol.Admin;

namespace Whip.Broker.Dialing;

/// <summary>What a dialer is told when the checks of the agents fail.</summary>
internal static class UnhealthyReason
{
    // As many as fit into a reason.
    private const int Shown = FailingInstance.Most - 1;

    public static string Of(DialTarget target, IReadOnlyList<FailingInstance> failing)
    {
        if (failing is [{ } instance] && instance.Name == target.Name)
        {
            return $"{target} is unhealthy: its {instance.Failure.Check} check has failed since {Since(instance)} ({instance.Failure.Reason})";
        }

        var told = failing.Take(Shown).Select(one => $"{one.Name} has failed its {one.Failure.Check} check since {Since(one)} ({one.Failure.Reason})");
        return $"no instance of {target} is healthy: {string.Join(", ", told)}{(failing.Count > Shown ? ", and others" : "")}";
    }

    private static string Since(FailingInstance failing) => UtcTime.Text(failing.Failure.Since);
}
