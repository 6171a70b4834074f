using Grpc.Core;
using Whip.Agent.Homes;
using Whip.Protocol.ControlStreams;
using Whip.Protocol.Names;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;

namespace Whip.Agent.ControlStreams;

/// <summary>Why a control stream ended: the first reason met.</summary>
internal readonly record struct StreamEnd(StatusCode Code, string Reason)
{
    private const long NoHttp2Error = 0;
    private const int MaxText = 512;

    private readonly string? _loss;

    public static StreamEnd Cancelled => new(StatusCode.Cancelled, "ended by the agent");

    public static StreamEnd Closed => new(StatusCode.OK, "closed by the broker");

    public static StreamEnd Faulted => new(StatusCode.Internal, "the agent failed");

    /// <summary>One of <see cref="LossReasons"/>.</summary>
    public string Loss
    {
        get => _loss ?? LossReasons.Of(Code);
        private init => _loss = value;
    }

    /// <summary>The broker takes no agents at the moment, as one that joins its cluster or drains.</summary>
    public bool IsPassing { get; private init; }

    /// <summary>What the user can do about it; empty when waiting is all there is.</summary>
    public string Advice => Code switch
    {
        StatusCode.InvalidArgument => "; check --hostname, --domain and --ports",
        StatusCode.PermissionDenied =>
            "; the certificate of --tls-cert-path must be valid, come from the broker's CA and name hostname.domain in its SAN",
        StatusCode.Unauthenticated =>
            "; --tls-ca-cert-path must be the broker's CA, and the broker's certificate must be valid and name this host in its SAN",
        StatusCode.Unimplemented => "; is this the gRPC port of a broker?",
        _ => "",
    };

    public static StreamEnd Silent(TimeSpan silence) => new(StatusCode.DeadlineExceeded, $"no sign of life for {silence.TotalSeconds:0} s");

    /// <summary>The broker's certificate is no longer accepted.</summary>
    public static StreamEnd PeerRefused(string problem) => new(StatusCode.Unauthenticated, problem);

    public static StreamEnd NotTheBroker(BrokerClaim claim) => new(StatusCode.FailedPrecondition, $"it has not proved to be {claim}");

    /// <summary>What a call ended with: the broker's own status or, when the call failed beneath gRPC, its innermost cause.</summary>
    /// <param name="error">What the call threw.</param>
    /// <param name="unanswered">
    /// What it may mean that the connection has ended, if the broker had not answered: it judges our certificate after our side of the handshake has ended.
    /// </param>
    /// <param name="via">The proxy that the connection ran through; null: none.</param>
    public static StreamEnd Of(RpcException error, string? unanswered, HttpProxy? via = null)
    {
        if (error.Status.DebugException is ProxyException proxy)
        {
            return new StreamEnd(StatusCode.Unavailable, error.Status.Detail) { Loss = LossReasons.Of(proxy.Fault) };
        }

        if (error.Status.DebugException?.GetBaseException() is not { } cause)
        {
            return new StreamEnd(error.StatusCode, error.Status.Detail) { IsPassing = error.Trailers.Get(ControlConnection.RetryTrailer) is not null };
        }

        if (TlsRefusal.Alert(cause) is { } alert)
        {
            return new StreamEnd(StatusCode.PermissionDenied, alert);
        }

        // grpc-dotnet reports a closed connection as an internal error, unless the socket failed.
        var isClosed = cause is HttpRequestException or HttpProtocolException { ErrorCode: NoHttp2Error } || error.StatusCode == StatusCode.Unavailable;
        var cut = isClosed && via is not null ? $"; the proxy {via} may have cut it" : "";
        return new StreamEnd(
            isClosed ? StatusCode.Unavailable : error.StatusCode,
            (isClosed && unanswered is not null ? $"the broker ended the connection before it answered; {unanswered}" : cause.Message) + cut)
        {
            Loss = isClosed ? LossReasons.Lost : LossReasons.Of(error.StatusCode),
        };
    }

    /// <summary>Of a connection that did not come about.</summary>
    public static StreamEnd Unconnected(RpcException error)
    {
        var end = Of(error, unanswered: null);
        return end is { Code: StatusCode.Unavailable, _loss: null } ? end with { Loss = LossReasons.Unreachable } : end;
    }

    public override string ToString() => Code == StatusCode.OK ? Reason : Printable.Clean(Reason.Length == 0 ? $"{Code}" : $"{Code}: {Reason}", MaxText);
}
