using System.Net;
using Whip.Protocol.Names;
using Whip.Protocol.Options;

namespace Whip.Broker;

/// <summary>What others are told of a listener.</summary>
internal static class ExternalAddress
{
    private const string Example = "broker1.example.com:8000";

    /// <param name="option">Names the address, such as <c>ExternalTcp</c>.</param>
    /// <param name="external">Its value; null or empty for the bound address. Port 0: the bound one.</param>
    /// <param name="bound">What the listener is bound to.</param>
    /// <exception cref="WhipOptionException">The value is not valid.</exception>
    public static HostPort Of(string option, string? external, IPEndPoint bound) =>
        string.IsNullOrEmpty(external) ? HostPort.Of(bound) : OptionText.EndPoint(option, external, Example, zeroPort: bound.Port);

    /// <exception cref="WhipOptionException">The value is not valid.</exception>
    public static void Check(string option, string external) => OptionText.EndPoint(option, external, Example, zeroPort: 0);
}
