using Whip.Protocol.Names;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;

namespace Whip.Client;

/// <summary>Where a <see cref="WhipDialer"/> dials, and with which certificate.</summary>
public sealed class WhipDialerOptions : ICheckedOptions
{
    /// <summary>
    /// The dial fronts of one cluster, each <c>HOST:PORT</c>; at least one. A dialer begins at a random one, so that many dialers spread, and
    /// stays with it while it answers. If it cannot be reached, says nothing for a second, or drains, the dial goes to the next, and dials
    /// pass it over for 5 seconds. A broker that only said nothing is asked again when none of the others can be reached.
    /// </summary>
    public IList<string> Brokers { get; set; } = [];

    /// <summary>
    /// Whether a dial goes straight to the broker that holds the name when a broker says which; default true. If false, or if the holder
    /// gives no answer within a second, the first broker relays.
    /// </summary>
    public bool FollowRedirects { get; set; } = true;

    /// <summary>
    /// Whether a connection to a broker is kept after a dial and used for the next one, which then needs no handshake; default true. A connection
    /// carries one dial at a time. If false, or if the broker does not keep connections, each dial has a connection of its own.
    /// </summary>
    public bool Keep { get; set; } = true;

    /// <summary>This program's certificate, key and CA; mutual TLS is on unless <see cref="WhipTlsOptions.Enabled"/> is false.</summary>
    public WhipTlsOptions Tls { get; set; } = new();

    /// <summary>The HTTP proxy through which the brokers are reached; default as the environment says.</summary>
    public WhipViaOptions Via { get; set; } = new();

    void ICheckedOptions.Check()
    {
        ParseBrokers();
        WayOut.Of(Via);
    }

    /// <exception cref="WhipOptionException">The list is empty, or one entry is not <c>HOST:PORT</c>.</exception>
    internal HostPort[] ParseBrokers()
    {
        var texts = Brokers.Count == 0 ? [""] : Brokers;
        return [.. texts.Select(text => OptionText.EndPoint(nameof(Brokers), text, "broker1.example:8010"))];
    }
}
