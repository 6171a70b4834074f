namespace Whip.AspNetCore;

/// <summary>
/// The dial that a connection came by, in <c>HttpContext.Features</c> and in the features of the connection. A connection that came by another way, such
/// as TCP, has none.
/// </summary>
public interface IWhipDialFeature
{
    /// <summary>
    /// The names (SANs) of the dialer's certificate, which the broker has verified; DNS names are in lower case without a final dot. Empty for a dialer
    /// without a certificate, to whom any other may be equal.
    /// </summary>
    IReadOnlyList<string> DialerNames { get; }

    /// <summary>Which certificate that is: the key id of its issuer and its serial number, <c>hex:hex</c>; empty if there is none.</summary>
    string DialerId { get; }

    /// <summary>The name as it was dialled: that of the instance or of its domain.</summary>
    string DialledName { get; }

    /// <summary>The registered name, <c>hostname.domain</c>.</summary>
    string Name { get; }

    /// <summary>The published port that was dialled.</summary>
    int Port { get; }
}
