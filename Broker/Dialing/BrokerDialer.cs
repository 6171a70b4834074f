using Microsoft.Extensions.Logging;
using Whip.Broker.ControlStreams;
using Whip.Broker.Policy;
using Whip.Hosting;
using Whip.Protocol.Dialing;
using Whip.Protocol.Names;
using Whip.Registry;

namespace Whip.Broker.Dialing;

/// <summary>
/// One dial from name to leg: authorise, resolve (or wait), ask an agent, and ask the next when it fails, all within the
/// deadline. Every way a dial can end is a <see cref="DialResult"/>.
/// </summary>
internal sealed class BrokerDialer(
    LiveStreams streams,
    IClientRegistry registry,
    LegRequests legs,
    DialPolicyFile policy,
    DialBudget budget,
    BrokerMetrics metrics,
    WhipLimits limits,
    ILogger logger,
    TimeProvider time)
{
    public async Task<DialResult> DialAsync(DialRequest request, DialOrigin origin, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        using var place = budget.TryEnter(out var refusal);
        DialResult result;
        if (place is null)
        {
            result = DialResult.Failed(DialOutcome.Overloaded, refusal);
        }
        else
        {
            result = await RunAsync(request, origin, started, cancellationToken);
        }

        metrics.DialEnded(result.Outcome);
        BrokerLog.DialEnded(
            logger, result.IsConnected ? LogLevel.Debug : LogLevel.Information, Printable.Clean(request.Host), request.Port, origin.Description, result.Outcome, result.Reason);
        return result;
    }

    private async Task<DialResult> RunAsync(DialRequest request, DialOrigin origin, long started, CancellationToken cancellationToken)
    {
        if (!DnsName.TryNormalize(request.Host, out var name))
        {
            return DialResult.Failed(DialOutcome.BadRequest, $"\"{Printable.Clean(request.Host)}\" is not a DNS name");
        }

        if (request.Port is < 1 or > 65535)
        {
            return DialResult.Failed(DialOutcome.BadRequest, $"port {request.Port} is not from 1 to 65535");
        }

        if (!policy.Current.Allows(origin.Names, name, request.Port))
        {
            return DialResult.Failed(DialOutcome.Denied, $"the dial policy does not let this dialer reach {name}:{request.Port}");
        }

        var wait = request.Wait < limits.MaxWait ? request.Wait : limits.MaxWait;
        var dial = new Dial(name, request.Port, origin, wait, request.Deadline + wait, started);
        using var timeout = new CancellationTokenSource(dial.Deadline > TimeSpan.Zero ? dial.Deadline : TimeSpan.FromMilliseconds(1), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await AttemptsAsync(dial, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return DialResult.Failed(DialOutcome.DeadlineExceeded, $"{name}:{request.Port}: {dial.WaitedFor} took longer than the dial's deadline");
        }
    }

    private async Task<DialResult> AttemptsAsync(Dial dial, CancellationToken cancellationToken)
    {
        var failure = DialResult.Failed(DialOutcome.AgentFailed, $"{dial.Name}: its agents are gone");
        while (dial.Tried.Count < limits.DialAttempts)
        {
            var resolution = await ResolveAsync(dial, cancellationToken);
            if (resolution.Route is not { } route)
            {
                return resolution.Status == ResolveStatus.Exhausted ? failure : Unresolved(dial, resolution.Status);
            }

            dial.Tried.Add(route);
            if (!streams.TryGet(route, out var stream))
            {
                continue;
            }

            var attemptsLeft = resolution.HasMore ? limits.DialAttempts - dial.Tried.Count + 1 : 1;
            var attempt = await legs.RequestAsync(stream, dial, dial.Remaining(time) / attemptsLeft, cancellationToken);
            if (attempt.Leg is { } leg)
            {
                budget.Track(leg);
                metrics.Connected(route.Name.Domain, dial.Port, time.GetElapsedTime(dial.Started), leg);
                return DialResult.Connected(leg);
            }

            failure = attempt.Failure!;
        }

        return failure;
    }

    private async Task<Resolution> ResolveAsync(Dial dial, CancellationToken cancellationToken)
    {
        var request = new ResolveRequest(dial.Name, dial.Port, dial.Tried);
        var started = time.GetTimestamp();
        var resolution = await registry.ResolveAsync(request, cancellationToken);
        var waitUntil = dial.Wait - time.GetElapsedTime(dial.Started);
        if (resolution.Status is ResolveStatus.NoSuchHost or ResolveStatus.NoSuchDomain && waitUntil > TimeSpan.Zero)
        {
            resolution = await WaitAsync(dial, request, waitUntil, cancellationToken);
        }

        if (resolution.Route is { } route)
        {
            metrics.Resolved(route.Name.Domain, time.GetElapsedTime(started));
            if (resolution.IsAmbiguous && metrics.Ambiguous(dial.Name))
            {
                BrokerLog.Ambiguous(logger, dial.Name);
            }
        }

        return resolution;
    }

    private async Task<Resolution> WaitAsync(Dial dial, ResolveRequest request, TimeSpan wait, CancellationToken cancellationToken)
    {
        dial.WaitedFor = "waiting for an agent to register";
        using var over = new CancellationTokenSource(wait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, over.Token);
        while (true)
        {
            // The watch stands before the name is looked up again: what registers in between wakes it.
            using var watch = registry.Watch(dial.Name);
            var resolution = await registry.ResolveAsync(request, cancellationToken);
            if (watch is null || resolution.Status is not (ResolveStatus.NoSuchHost or ResolveStatus.NoSuchDomain))
            {
                return watch is null && resolution.Route is null ? new Resolution(ResolveStatus.TooManyWaiters) : resolution;
            }

            try
            {
                await watch.Announced.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return resolution;
            }
        }
    }

    private static DialResult Unresolved(Dial dial, ResolveStatus status)
    {
        var waited = dial.WaitedFor == Dial.TheAgent ? "" : $", and none registered within {dial.Wait.TotalSeconds:0.#} s";
        return status switch
        {
            ResolveStatus.PortNotPublished => DialResult.Failed(DialOutcome.PortNotPublished, $"{dial.Name} does not publish port {dial.Port}"),
            ResolveStatus.NoSuchHost => DialResult.Failed(
                DialOutcome.NoSuchHost, $"no agent is registered as {dial.Name}, though its domain {dial.Name[(dial.Name.IndexOf('.') + 1)..]} has others{waited}"),
            ResolveStatus.TooManyWaiters => DialResult.Failed(DialOutcome.Overloaded, $"too many dials wait for {dial.Name}"),
            _ => DialResult.Failed(DialOutcome.NoSuchDomain, $"no agent is registered as {dial.Name} or in such a domain{waited}"),
        };
    }
}
