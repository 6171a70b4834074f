using System.Net;

namespace Whip.Protocol.Tls;

/// <summary>The server name of a TLS handshake.</summary>
internal static class ServerName
{
    /// <summary>
    /// The host itself; for an address a name made of it and the port, in the domain that is never anyone's (RFC 2606): SslStream keeps
    /// sessions under the name it sends, and would send none for an address and resume nothing. Brokers look at their dialer's
    /// certificate, never at this name.
    /// </summary>
    public static string Of(string host, int port) =>
        IPAddress.TryParse(host, out var address) ? $"{Convert.ToHexStringLower(address.GetAddressBytes())}-{port}.address.invalid" : host;
}
