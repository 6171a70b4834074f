using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Whip.Broker.Cluster;
using Whip.Broker.ControlStreams;
using Whip.Registry.Routes;

namespace Whip.Broker.Dialing;

/// <summary>
/// Dials: authorises, resolves the name or waits for it, asks an agent for a leg, and the next one if it fails, all within the deadline. Every end
/// of a dial is a <see cref="DialResult"/>.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The source has no timer or wait handle, and dials may outlive the broker.")]
internal sealed class BrokerDialer(
    string brokerId,
    LiveStreams streams,
    IClientRegistry registry,
    RelayLoads loads,
    BrokerCluster? cluster,
    LegRequests legs,
    DialPolicyFile policy,
    DenyFile? denied,
    DialBudget budget,
    DialMetrics metrics,
    WhipLimits limits,
    ILogger logger,
    TimeProvider time)
{
    public RecentFailures Failures { get; } = new(time);

    // In a reason, of which a dialer gets 256 characters.
    private const int MaxNames = 100;

    private readonly CancellationTokenSource _noWaits = new();
    private readonly LogRation _refusals = new(LogRation.Named, count => DialLog.MoreRefused(logger, count), time);

    /// <summary>From now on no dial waits for an agent here; those that do are refused, so that they go to another broker.</summary>
    public Task EndWaitsAsync() => _noWaits.CancelAsync();

    public async Task<DialResult> DialAsync(DialRequest request, DialOrigin origin, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        using var place = budget.TryEnter(out var refusal);
        Dial? dial = null;
        using var span = request.TryGetTarget(out var target, out _)
            ? DialTrace.Begin("dial", ActivityKind.Server, target, origin.TraceParent)?.SetTag("whip.broker", brokerId)
            : null;
        var result = place is null ? DialResult.Failed(DialOutcome.Overloaded, refusal) : Begin(request, origin, started, out dial);
        try
        {
            result ??= await RunAsync(dial!, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            metrics.Cancelled();
            throw;
        }

        span?.SetTag("whip.path", dial?.Path.ToString());
        span.Ended(result.Outcome, result.Reason);
        metrics.Ended(result.Outcome, dial?.Path ?? DialPath.Local);
        if (result is { IsConnected: false, Outcome: not DialOutcome.Redirected })
        {
            Failures.Add(request.Host, request.Port, origin.Description, result);
        }

        if (result.Outcome != DialOutcome.Overloaded || _refusals.Take())
        {
            DialLog.DialEnded(
                logger, result.IsConnected ? LogLevel.Debug : LogLevel.Information,
                Printable.Clean(request.Host), request.Port, origin.Description, result.Outcome, result.Reason);
        }

        return result;
    }

    /// <summary>Makes the dial, or the result that refuses it.</summary>
    private DialResult? Begin(DialRequest request, DialOrigin origin, long started, out Dial? dial)
    {
        dial = null;
        if (!request.TryGetTarget(out var target, out var problem))
        {
            return DialResult.Failed(DialOutcome.BadRequest, problem);
        }

        if (denied?.Matches(origin.Names, origin.Id) == true)
        {
            var names = Printable.Clean(string.Join(", ", origin.Names), MaxNames);
            return DialResult.Failed(DialOutcome.Denied, $"the dialer's certificate ({names}) is on the deny list of broker {brokerId}");
        }

        if (!policy.Current.Allows(origin.Names, target))
        {
            return DialResult.Failed(DialOutcome.Denied, $"the dial policy does not let this dialer reach {target}");
        }

        if (cluster is { HasJoined: false })
        {
            return DialResult.Failed(DialOutcome.Unavailable, "this broker is not in its cluster yet");
        }

        var wait = request.Wait < limits.MaxWait ? request.Wait : limits.MaxWait;
        dial = new Dial(target, origin, wait, request.Deadline + wait, started);
        return null;
    }

    private async Task<DialResult> RunAsync(Dial dial, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(dial.Deadline, time, cancellationToken);
        try
        {
            return await AttemptsAsync(dial, deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return DialResult.Failed(DialOutcome.DeadlineExceeded, $"{dial.Target}: {dial.WaitedFor} took longer than the dial's deadline");
        }
    }

    private async Task<DialResult> AttemptsAsync(Dial dial, CancellationToken cancellationToken)
    {
        var failure = DialResult.Failed(DialOutcome.AgentFailed, $"{dial.Name}: its agents are gone");
        for (var attempts = 0; attempts < limits.DialAttempts; attempts++)
        {
            var resolution = await ResolveAsync(dial, failure, cancellationToken);
            if (resolution is { Route: null, Holder: null })
            {
                return resolution.Status == ResolveStatus.Exhausted ? Final(dial, failure) : Unresolved(dial, resolution);
            }

            var attemptsLeft = resolution.HasMore || IsDoubtful(resolution, dial) ? limits.DialAttempts - attempts : 1;
            var result = resolution.Route is { } route
                ? await AskAgentAsync(route, dial, attemptsLeft, cancellationToken)
                : await AskHolderAsync(resolution.Holder!, dial, isLast: attemptsLeft == 1, cancellationToken);
            if (result?.Outcome is DialOutcome.Connected or DialOutcome.Redirected or DialOutcome.Denied)
            {
                return result;
            }

            failure = result ?? failure;
        }

        return Final(dial, failure);
    }

    /// <summary>A pong of the stream is late, and another broker may have a better stream: this attempt does not get all of the time.</summary>
    private bool IsDoubtful(Resolution resolution, Dial dial) =>
        cluster is not null && dial.Origin.Scope != ResolveScope.OwnOnly
        && resolution.Route is { } route && streams.TryGet(route, out var stream) && stream.Pings.Owed > limits.HolderAttempt;

    /// <returns>Null if the stream has ended.</returns>
    private async Task<DialResult?> AskAgentAsync(StreamRoute route, Dial dial, int attemptsLeft, CancellationToken cancellationToken)
    {
        dial.Tried.Add(route);
        if (!streams.TryGet(route, out var stream))
        {
            return null;
        }

        var result = await legs.RequestAsync(stream, dial, dial.Remaining(time) / attemptsLeft, cancellationToken);
        if (result.Stream is { } leg)
        {
            budget.Track(leg);
            loads.Started(route.Name);
            leg.OnReleased(() => loads.Ended(route.Name));
            metrics.Connected(route.Name.Domain, dial.Port, time.GetElapsedTime(dial.Started), leg);
        }

        return result;
    }

    private async Task<DialResult> AskHolderAsync(string brokerId, Dial dial, bool isLast, CancellationToken cancellationToken)
    {
        dial.TriedBrokers.Add(brokerId);
        if (cluster?.Members.Find(brokerId) is not { } holder)
        {
            return DialResult.Failed(DialOutcome.NotHolder, $"broker {brokerId}, which held {dial.Name}, has left");
        }

        if (dial.Origin.AcceptsRedirect && !holder.IsSuspect)
        {
            dial.Path = DialPath.Redirected;
            return DialResult.RedirectedTo(holder.ExternalDial, $"{dial.Name} is held by broker {brokerId}");
        }

        using var phase = DialTrace.Phase("ask")?.SetTag("whip.broker", brokerId);
        dial.Path = DialPath.Relayed;
        var remaining = dial.Remaining(time);
        var timeout = (isLast && !holder.IsSuspect) || remaining < limits.HolderAttempt ? remaining : limits.HolderAttempt;
        var suspected = holder.IsSuspect ? default : cluster.Members.Suspected(brokerId);
        var result = await cluster.HolderDialer.DialAsync(holder, dial, timeout, suspected, cancellationToken);
        if (result.Stream is { } leg)
        {
            budget.Track(leg);
        }
        else if (result.Outcome is DialOutcome.NotHolder or DialOutcome.BrokerUnreachable)
        {
            registry.Forget(dial.Question, brokerId);
        }

        return result;
    }

    private async Task<Resolution> ResolveAsync(Dial dial, DialResult failure, CancellationToken cancellationToken)
    {
        using var phase = DialTrace.Phase("resolve");
        var started = time.GetTimestamp();
        var resolution = await registry.ResolveAsync(dial.Question, cancellationToken);
        var waitUntil = dial.Wait - time.GetElapsedTime(dial.Started);

        // The agent of a holder that has gone will register elsewhere.
        var isMissing = IsMissing(resolution) || (resolution.Status == ResolveStatus.Exhausted && IsHolderGone(failure));
        if (isMissing && waitUntil > TimeSpan.Zero)
        {
            dial.TriedBrokers.Clear();
            resolution = await WaitAsync(dial, waitUntil, cancellationToken);
        }

        if (resolution.Route is { } route)
        {
            metrics.Resolved(route.Name.Domain, time.GetElapsedTime(started));
            if (resolution.IsAmbiguous && metrics.Ambiguous(dial.Name))
            {
                DialLog.Ambiguous(logger, dial.Name);
            }
        }

        return resolution;
    }

    private static bool IsMissing(Resolution resolution) =>
        resolution.Status is ResolveStatus.NoSuchHost or ResolveStatus.NoSuchDomain or ResolveStatus.Unanswered;

    private static bool IsHolderGone(DialResult failure) => failure.Outcome is DialOutcome.NotHolder or DialOutcome.BrokerUnreachable;

    private async Task<Resolution> WaitAsync(Dial dial, TimeSpan wait, CancellationToken cancellationToken)
    {
        dial.WaitedFor = "waiting for an agent to register";
        using var deadline = new Deadline(wait, time, cancellationToken, _noWaits.Token);
        while (true)
        {
            // Watch before the name is resolved again, so that no registration in between is missed.
            using var watch = registry.Watch(dial.Name);
            var resolution = await registry.ResolveAsync(dial.Question with { IsFresh = true }, cancellationToken);
            var cannotWait = watch is null || _noWaits.IsCancellationRequested;
            if (watch is null || cannotWait || !IsMissing(resolution))
            {
                return cannotWait && IsMissing(resolution) ? new Resolution(ResolveStatus.TooManyWaiters) : resolution;
            }

            try
            {
                await watch.Woken.WaitAsync(deadline.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return _noWaits.IsCancellationRequested ? new Resolution(ResolveStatus.TooManyWaiters) : resolution;
            }
        }
    }

    /// <summary>The result of a dial whose last attempt failed. It does not mention other brokers.</summary>
    private static DialResult Final(Dial dial, DialResult failure) => failure.Outcome switch
    {
        DialOutcome.NotHolder => DialResult.Failed(DialOutcome.NoSuchHost, $"no agent is registered as {dial.Name} any more"),
        DialOutcome.BrokerUnreachable => DialResult.Failed(DialOutcome.AgentFailed, $"{dial.Name}: {failure.Reason}"),
        _ => failure,
    };

    private DialResult Unresolved(Dial dial, Resolution resolution)
    {
        var status = resolution.Status;
        if (dial.Origin.Scope == ResolveScope.OwnOnly && status is ResolveStatus.NoSuchHost or ResolveStatus.NoSuchDomain)
        {
            return DialResult.Failed(DialOutcome.NotHolder, $"{dial.Name} has no stream to this broker");
        }

        var waited = dial.WaitedFor == Dial.TheAgent ? "" : $", and none registered within {dial.Wait.TotalSeconds:0.#} s";
        return status switch
        {
            ResolveStatus.PortNotPublished => DialResult.Failed(DialOutcome.PortNotPublished, $"{dial.Name} does not publish port {dial.Port}"),
            ResolveStatus.Unhealthy => DialResult.Failed(DialOutcome.Unhealthy, UnhealthyReason.Of(dial.Target, resolution.Failing)),
            ResolveStatus.NoSuchHost => DialResult.Failed(
                DialOutcome.NoSuchHost,
                $"no agent is registered as {dial.Name}, though its domain {dial.Name[(dial.Name.IndexOf('.') + 1)..]} has others{waited}"),
            ResolveStatus.Unanswered => DialResult.Failed(
                DialOutcome.Unavailable, $"nobody who answered knows {dial.Name}, but a broker of the cluster did not answer in time and may{waited}"),
            ResolveStatus.TooManyWaiters when _noWaits.IsCancellationRequested => DialResult.Failed(
                DialOutcome.Unavailable, $"no dial waits for {dial.Name} here any more: this broker drains"),
            ResolveStatus.TooManyWaiters => DialResult.Failed(DialOutcome.Overloaded, $"no more dials can wait for {dial.Name} here"),
            _ => DialResult.Failed(DialOutcome.NoSuchDomain, $"no agent is registered as {dial.Name} or in such a domain{waited}"),
        };
    }
}
