using System.Net;
using Whip.Hosting.Flags;
using Whip.Protocol.Names;

namespace Whip.Broker;

/// <summary>What others are told of a listener.</summary>
internal static class ExternalAddress
{
    /// <param name="flag">That tells the address, such as <c>--external-tcp</c>.</param>
    /// <param name="external">Its value; null or empty for the bound address. Port 0: the bound one.</param>
    /// <param name="listenFlag">The listener's own flag.</param>
    /// <param name="bound">What the listener is bound to.</param>
    /// <exception cref="StartupException">It is needed, or is no address.</exception>
    public static (string Host, int Port) Of(string flag, string? external, string listenFlag, IPEndPoint bound)
    {
        if (string.IsNullOrEmpty(external))
        {
            return bound.Address.Equals(IPAddress.Any) || bound.Address.Equals(IPAddress.IPv6Any)
                ? throw new StartupException(flag, null, $"is needed, for {listenFlag} {bound} is every interface", $"HOST:PORT, where others reach this broker's {listenFlag}")
                : (bound.Address.ToString(), bound.Port);
        }

        return HostPort.TryParse(external, out var host, out var port) && host.Length > 0
            ? (host, port == 0 ? bound.Port : port)
            : throw new StartupException(flag, external, "not a HOST:PORT", "broker1.example.com:8000");
    }

    public static string Text(string flag, string? external, string listenFlag, IPEndPoint bound)
    {
        var (host, port) = Of(flag, external, listenFlag, bound);
        return HostPort.Format(host, port);
    }
}
