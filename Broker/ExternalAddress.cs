using System.Net;

namespace Whip.Broker;

/// <summary>The address that others are given for a listener: the external one, if it is set, or the bound one. Port 0 is the bound port.</summary>
internal static class ExternalAddress
{
    private const string Example = "broker1.example.com:8000";

    /// <exception cref="WhipOptionException">The external address is not valid.</exception>
    public static HostPort Of(string option, string? external, IPEndPoint bound) =>
        string.IsNullOrEmpty(external) ? HostPort.Of(bound) : OptionText.EndPoint(option, external, Example, zeroPort: bound.Port);

    /// <exception cref="WhipOptionException">The value is not valid.</exception>
    public static void Check(string option, string external) => OptionText.EndPoint(option, external, Example, zeroPort: 0);
}
