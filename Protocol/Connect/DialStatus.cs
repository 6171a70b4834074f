using System.Collections.Frozen;
using System.Text.Json;
using Whip.Protocol.Dialing;

namespace Whip.Protocol.Connect;

/// <summary>The one table of dial outcomes, their HTTP statuses and their names in <c>Whip-Outcome</c>.</summary>
internal static class DialStatus
{
    private static readonly FrozenDictionary<string, DialOutcome> ByName =
        Enum.GetValues<DialOutcome>().ToFrozenDictionary(ToName, StringComparer.OrdinalIgnoreCase);

    public static int ToStatus(DialOutcome outcome) => outcome switch
    {
        DialOutcome.Connected => 200,
        DialOutcome.Redirected => 307,
        DialOutcome.BadRequest => 400,
        DialOutcome.PortNotPublished or DialOutcome.Denied => 403,
        DialOutcome.NoSuchHost or DialOutcome.NoSuchDomain => 404,
        DialOutcome.NotHolder => 421,
        DialOutcome.Overloaded or DialOutcome.Unavailable => 503,
        DialOutcome.DeadlineExceeded => 504,
        _ => 502,
    };

    /// <summary><c>no-such-host</c> for <see cref="DialOutcome.NoSuchHost"/>.</summary>
    public static string ToName(DialOutcome outcome) => JsonNamingPolicy.KebabCaseLower.ConvertName(outcome.ToString());

    /// <summary>
    /// The name decides if it agrees with the status; a status without a name is read as its most likely outcome. A status that the dial
    /// front never sends is a <see cref="DialOutcome.ProtocolError"/>.
    /// </summary>
    public static DialOutcome FromResponse(int status, string? name) =>
        name is not null && ByName.TryGetValue(name, out var outcome) && ToStatus(outcome) == status ? outcome : status switch
        {
            200 => DialOutcome.Connected,
            307 => DialOutcome.Redirected,
            400 => DialOutcome.BadRequest,
            403 => DialOutcome.Denied,
            404 => DialOutcome.NoSuchHost,
            421 => DialOutcome.NotHolder,
            502 => DialOutcome.AgentFailed,
            503 => DialOutcome.Overloaded,
            504 => DialOutcome.DeadlineExceeded,
            _ => DialOutcome.ProtocolError,
        };
}
