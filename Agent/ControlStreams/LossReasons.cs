using Grpc.Core;
using Whip.Protocol.Via;

namespace Whip.Agent.ControlStreams;

/// <summary>Why a control stream was lost or never stood, as the metric of reconnects names it.</summary>
internal static class LossReasons
{
    /// <summary>The broker is away, or does not answer.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>The connection ended, and nobody said why.</summary>
    public const string Lost = "lost";

    public static IEnumerable<string> All =>
        [.. Enum.GetValues<StatusCode>().Select(Of).Concat(Enum.GetValues<ProxyFault>().Select(Of)).Append(Unreachable).Append(Lost).Distinct()];

    /// <summary>Of what one side has said.</summary>
    public static string Of(StatusCode code) => code switch
    {
        StatusCode.OK => "closed",
        StatusCode.Aborted => "replaced",
        StatusCode.DeadlineExceeded => "silent",
        StatusCode.FailedPrecondition => "wrong_broker",
        StatusCode.Internal => "fault",
        StatusCode.Unauthenticated => "certificate",
        StatusCode.Unavailable => "unavailable",
        _ => "refused",
    };

    public static string Of(ProxyFault fault) => fault switch
    {
        ProxyFault.Unreachable => "proxy_unreachable",
        ProxyFault.Refused => "proxy_refused",
        _ => "proxy_failed",
    };
}
