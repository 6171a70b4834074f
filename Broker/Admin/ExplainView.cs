using System.Text.Json;
using Whip.Broker.Dialing;
using Whip.Protocol.Admin;
using Whip.Registry.Holders;

namespace Whip.Broker.Admin;

/// <summary>Explains how a dial of a name would be resolved at this broker, and why recent dials of it failed.</summary>
internal sealed class ExplainView(BrokerParts broker, TimeProvider time)
{
    private const int MaxStreams = 20;
    private const int MaxFailures = 10;

    // Each question to another broker has its own, shorter limit.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private readonly StreamsView _streams = new(broker);

    /// <returns>Null if the time limit has passed, or the request was cancelled.</returns>
    public async Task<NameExplanation?> ExplainAsync(DialTarget target, IReadOnlyList<string> dialer, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(Limit, time, cancellationToken);
        try
        {
            var query = new NameQuery(target.Name, target.Port, broker.InProcess.Zone);

            // Read what is remembered first: resolving the name changes it.
            var remembered = Remembered(query);
            var resolution = await broker.Registry.ResolveAsync(new ResolveRequest(target, []) { Zone = query.Zone }, deadline.Token);
            var holders = await Task.WhenAll((broker.Cluster?.Others.All ?? []).Select(other => AskAsync(other, query, deadline.Token)));
            return Explain(query, target, dialer, resolution, [Own(query), .. holders]) with { Remembered = remembered };
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private NameExplanation Explain(
        NameQuery query, DialTarget target, IReadOnlyList<string> dialer, Resolution resolution, IReadOnlyList<HolderStatus> brokers)
    {
        var (total, streams) = _streams.Named(query.Name, MaxStreams);
        return new NameExplanation
        {
            BrokerId = broker.Identity.BrokerId,
            Name = query.Name,
            Port = query.Port,
            Resolves = resolution.Status == ResolveStatus.Found,
            Status = JsonNamingPolicy.KebabCaseLower.ConvertName(resolution.Status.ToString()),
            Holder = resolution switch
            {
                { Route: not null } => broker.Identity.BrokerId,
                { Holder: { } holder } => Printable.Clean(holder),
                _ => null,
            },
            StreamId = resolution.Route?.StreamId,
            IsAmbiguous = resolution.IsAmbiguous,
            Unhealthy = resolution.Status == ResolveStatus.Unhealthy ? UnhealthyReason.Of(target, resolution.Failing) : null,
            Brokers = brokers,
            Remembered = null,
            Policy = new PolicyVerdict(broker.Options.DialPolicyPath is not null, dialer, broker.Policy.Current.Allows(dialer, target)),
            StreamsHere = total,
            Streams = streams,
            Failures = broker.Dialer.Failures.Of(query.Name, MaxFailures),
        };
    }

    private RememberedHolders? Remembered(NameQuery query)
    {
        var isBelieved = false;
        return broker.Cluster?.Registry.Remembered(query, out isBelieved) is { } reports
            ? new RememberedHolders(
                Rounded.Seconds(time.GetElapsedTime(reports.AskedAt)),
                isBelieved,
                [.. reports.ByBroker.Where(pair => pair.Value.Publishes || pair.Value.Instances > 0)
                    .Select(pair => Printable.Clean(pair.Key)).Order(StringComparer.Ordinal)])
            : null;
    }

    private HolderStatus Own(NameQuery query)
    {
        var self = new HolderStatus
        {
            BrokerId = broker.Identity.BrokerId,
            IsSelf = true,
            IsLinked = false,
            IsSuspect = false,
            RoundTripMs = null,
            HasAnswered = true,
        };
        return WithReport(self, broker.Routes.Report(query));
    }

    private async Task<HolderStatus> AskAsync(OtherBroker asked, NameQuery query, CancellationToken cancellationToken)
    {
        var report = await broker.Cluster!.Others.LocateAsync(asked.Id, query, cancellationToken);
        var other = new HolderStatus
        {
            BrokerId = Printable.Clean(asked.Id),
            IsSelf = false,
            IsLinked = broker.Cluster.Members.SiloOf(asked.Id) is not null,
            IsSuspect = asked.IsSuspect,
            RoundTripMs = Rounded.Milliseconds(broker.Cluster.Members.RoundTrip(asked.Id)),
            HasAnswered = report is not null,
        };
        return report is null ? other : WithReport(other, report);
    }

    private static HolderStatus WithReport(HolderStatus holder, NameReport report) => holder with
    {
        IsInstance = report.IsInstance,
        Publishes = report.Publishes,
        IsDomain = report.IsDomain,
        Instances = report.Instances,
        FailingInstances = report.FailingInstances,
        Fails = report.IsInstance && report.Failing.Count > 0,
        Relays = report.Relays,
    };
}
