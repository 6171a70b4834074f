using Whip.Protocol.Names;

namespace Whip.Agent.Homes;

/// <summary>A broker's control listener as the user wrote it; the host is what its certificate must cover.</summary>
internal sealed record BrokerEndpoint(string Host, int Port)
{
    private const string DefaultHost = "127.0.0.1";

    public string Authority => HostPort.Format(Host, Port);

    public static bool TryParse(string text, out BrokerEndpoint endpoint)
    {
        var isValid = HostPort.TryParse(text, out var host, out var port) && port > 0;
        endpoint = new BrokerEndpoint(host.Length == 0 ? DefaultHost : host, port);
        return isValid && HostName.IsValid(endpoint.Host);
    }

    public override string ToString() => Authority;
}
