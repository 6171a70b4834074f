using Whip.Agent.Homes;
using Whip.Protocol.Grpc;
using Whip.Protocol.Names;

namespace Whip.Agent.ControlStreams;

/// <summary>Why a control stream ended: the first reason met.</summary>
internal readonly record struct StreamEnd(GrpcStatus Status)
{
    public static StreamEnd Cancelled => new(new GrpcStatus(GrpcStatusCode.Cancelled, "ended by the agent"));

    public static StreamEnd Closed => new(new GrpcStatus(GrpcStatusCode.Ok, ""));

    /// <summary>What the user can do about it; empty when waiting is all there is.</summary>
    public string Advice => Status.Code switch
    {
        GrpcStatusCode.InvalidArgument => "; check --hostname, --domain and --ports",
        GrpcStatusCode.PermissionDenied =>
            "; the certificate of --tls-cert-path must come from the broker's CA and name hostname.domain in its SAN",
        GrpcStatusCode.Unauthenticated =>
            "; --tls-ca-cert-path must be the broker's CA, and the broker's certificate must name this host in its SAN",
        GrpcStatusCode.Unimplemented => "; is this the gRPC port of a broker?",
        _ => "",
    };

    public static StreamEnd Silent(TimeSpan silence) =>
        new(new GrpcStatus(GrpcStatusCode.DeadlineExceeded, $"no sign of life for {silence.TotalSeconds:0} s"));

    public static StreamEnd NotTheBroker(BrokerClaim claim) =>
        new(new GrpcStatus(GrpcStatusCode.FailedPrecondition, $"it has not proved to be {claim}"));

    public override string ToString() =>
        Status.Code == GrpcStatusCode.Ok ? "closed by the broker" : Printable.Clean(Status.ToString());
}
