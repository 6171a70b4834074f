using Whip.Grains.Members;
using Whip.Hosting.Programs;
using Whip.Protocol.Admin;

namespace Whip.Broker.Admin;

/// <summary>Reads the status of this broker.</summary>
internal sealed class StatusView(BrokerParts broker, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    public BrokerStatus Read()
    {
        var options = broker.Options;
        return new BrokerStatus
        {
            BrokerId = broker.Identity.BrokerId,
            State = broker.IsDraining ? "draining" : broker.IsReady ? "ready" : broker.Cluster?.HasJoined == false ? "starting" : "not-ready",
            Problem = broker.Problem,
            RefusedFiles = broker.Files.Refused,
            Engine = broker.Cluster is null ? "embedded" : "orleans",
            Silos = broker.Cluster?.Members.Silos.Select(name => Printable.Clean(name)).ToList(),
            ClusterId = broker.Cluster is null ? null : options.ClusterId,
            Version = BuildInfo.Version,
            Zone = options.Zone,
            UptimeSeconds = Rounded.Seconds(time.GetElapsedTime(_started)),
            Streams = broker.Streams.Count,
            Instances = broker.Routes.Count,
            UnhealthyPorts = broker.Streams.UnhealthyPorts,
            Relays = broker.Budget.Relays,
            PendingDials = broker.Budget.Pending,
            Listeners = [.. broker.BoundAddresses.Select(Listener)],
            IsMemberListCurrent = broker.Cluster?.HasSilo,
            Members = [.. (broker.Cluster?.Members.Members ?? []).Select(Member)],
        };
    }

    private ListenerStatus Listener(BoundAddress bound)
    {
        var self = broker.Cluster?.Members.Find(broker.Identity.BrokerId);
        HostPort? external = bound.Name switch
        {
            "grpc" => self?.ExternalGrpc,
            "tcp" => broker.Identity.ExternalTcp,
            "dial" => self?.ExternalDial,
            _ => null,
        };
        return new ListenerStatus(bound.Name, $"{bound.EndPoint}", external?.ToString());
    }

    private MemberStatus Member(BrokerMember member)
    {
        var isSelf = member.Id == broker.Identity.BrokerId;
        return new MemberStatus
        {
            Id = Printable.Clean(member.Id),
            Incarnation = member.Incarnation,
            Zone = Printable.Clean(member.Zone),
            Grpc = member.ExternalGrpc.ToString(),
            Tcp = member.ExternalTcp.ToString(),
            Dial = member.ExternalDial.ToString(),
            IsSelf = isSelf,
            IsDraining = member.IsDraining,
            IsSuspect = member.IsSuspect,
            IsLinked = !isSelf && member.HasSilo,
            RoundTripMs = Rounded.Milliseconds(broker.Cluster?.Members.RoundTrip(member.Id)),
        };
    }
}

/// <summary>Times as the admin API reports them, to a thousandth.</summary>
internal static class Rounded
{
    public static double Seconds(TimeSpan time) => Math.Round(time.TotalSeconds, 3);

    public static double? Seconds(TimeSpan? time) => time is { } known ? Seconds(known) : null;

    public static double? Milliseconds(TimeSpan? time) => time is { } known ? Math.Round(known.TotalMilliseconds, 3) : null;
}
