using Microsoft.Extensions.Logging;
using Whip.Hosting.Listening;
using Whip.Protocol;
using Whip.Protocol.ControlStreams;
using Whip.Protocol.Legs;

namespace Whip.Agent.Checks;

/// <summary>
/// Checks the services behind the published ports, each in a loop of its own. What a check says first counts; from then on a port changes once as many
/// checks in a row as the threshold say so. Owner of what they have found: the lock.
/// </summary>
internal sealed class ServiceChecks(
    AgentSettings settings, Connector connector, DescriptorBudget descriptors, CheckMetrics metrics, ILogger log, TimeProvider time)
{
    private const string Listener = "checks";

    private readonly TaskTracker _loops = new(error => CheckLog.Faulted(log, error));
    private readonly Dictionary<int, PortHealth> _byPort = [];
    private readonly Lock _lock = new();

    /// <summary>What is known of each port that is checked.</summary>
    public IReadOnlyList<PortHealth> Known
    {
        get
        {
            lock (_lock)
            {
                return [.. _byPort.Values];
            }
        }
    }

    /// <summary>Returns when each check has been made once, which takes no longer than a check may.</summary>
    public Task StartAsync(CancellationToken stopping)
    {
        var first = settings.Checks.Select(check =>
        {
            var isKnown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _loops.Run(token => WatchAsync(check, isKnown, token), stopping);
            return isKnown.Task;
        });
        return Task.WhenAll(first);
    }

    public Task WhenEnded() => _loops.WhenEmpty();

    private async Task WatchAsync(PortCheck check, TaskCompletionSource isKnown, CancellationToken stopping)
    {
        using var run = new CheckRun(settings, check, connector, time);
        using var timer = new PeriodicTimer(settings.Options.CheckInterval, time);
        var contrary = 0;
        try
        {
            do
            {
                if (await RunAsync(run, stopping) is { } result)
                {
                    metrics.Checked(check.Port, result.IsOk);
                    contrary = Learn(check, result, contrary);
                }

                isKnown.TrySetResult();
            }
            while (await timer.WaitForNextTickAsync(stopping));
        }
        finally
        {
            isKnown.TrySetResult();
        }
    }

    /// <returns>Null: this process has no descriptor for it, which is not the service's fault.</returns>
    private async Task<CheckResult?> RunAsync(CheckRun run, CancellationToken stopping)
    {
        if (!descriptors.TryTake(1))
        {
            descriptors.CountRefusal(Listener);
            return null;
        }

        try
        {
            return await run.RunAsync(stopping);
        }
        finally
        {
            descriptors.Return(1);
        }
    }

    /// <returns>How many checks in a row have said other than what holds.</returns>
    private int Learn(PortCheck check, CheckResult result, int contrary)
    {
        var now = time.GetTimestamp();
        PortHealth? before;
        lock (_lock)
        {
            before = _byPort.GetValueOrDefault(check.Port);
            if (before is not null && before.IsOk != result.IsOk && ++contrary < settings.Options.CheckThreshold)
            {
                return contrary;
            }

            var isSame = before?.IsOk == result.IsOk;
            if (!isSame || before!.Result with { Detail = result.Detail } != result)
            {
                _byPort[check.Port] = new PortHealth(check, result, isSame ? before!.Since : now);
            }
        }

        Report(check, result, before, now);
        return 0;
    }

    private void Report(PortCheck check, CheckResult result, PortHealth? before, long now)
    {
        metrics.Is(check.Port, result.IsOk);
        if (!result.IsOk && before is not { IsOk: false })
        {
            CheckLog.Fails(log, check, check.Port, HealthText.Reason(result.Failure, (uint)result.Status), settings.Ports[check.Port], result.Detail);
        }
        else if (result.IsOk && before is { IsOk: false })
        {
            CheckLog.Passes(log, check, check.Port, time.GetElapsedTime(before.Since, now).TotalSeconds);
        }
    }
}
