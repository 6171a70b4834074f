using System.Net;
using Whip.Protocol.Names;
using Whip.Protocol.Options;

namespace Whip.Broker;

/// <summary>What others are told of a listener.</summary>
internal static class ExternalAddress
{
    /// <param name="option">That tells the address, such as <c>ExternalTcp</c>.</param>
    /// <param name="external">Its value; null or empty for the bound address. Port 0: the bound one.</param>
    /// <param name="bound">What the listener is bound to.</param>
    /// <exception cref="WhipOptionException">It is no address.</exception>
    public static (string Host, int Port) Of(string option, string? external, IPEndPoint bound) =>
        string.IsNullOrEmpty(external) ? (bound.Address.ToString(), bound.Port)
        : HostPort.TryParse(external, out var host, out var port) && host.Length > 0 ? (host, port == 0 ? bound.Port : port)
        : throw new WhipOptionException(option, external, "not a HOST:PORT", "broker1.example.com:8000");

    public static string Text(string option, string? external, IPEndPoint bound)
    {
        var (host, port) = Of(option, external, bound);
        return HostPort.Format(host, port);
    }
}
