using System.Net;
using Whip.Protocol.Names;

namespace Whip.Client;

/// <summary>The address of a dial front, from the options or a redirect.</summary>
/// <param name="Authority"><c>host:port</c>, for messages.</param>
/// <param name="Host">A name or an address; TLS checks it.</param>
/// <param name="Port">1 to 65535.</param>
internal sealed record BrokerAddress(string Authority, string Host, int Port)
{
    /// <summary>Null when the text is not <c>host:port</c>.</summary>
    public static BrokerAddress? Parse(string? text) =>
        HostPort.TryParse(text, out var host, out var port) && host.Length > 0 && port > 0 ? new(text!, host, port) : null;

    /// <summary>Also checks the host, for the text comes from a peer; the result is short and printable.</summary>
    public static BrokerAddress? ParseLocation(string? text)
    {
        if (Parse(text) is not { } address)
        {
            return null;
        }

        var host = IPAddress.TryParse(address.Host, out var ip) ? ip.ToString() : DnsName.TryNormalize(address.Host, out var name) ? name : null;
        return host is null ? null : new(HostPort.Format(host, address.Port), host, address.Port);
    }
}
