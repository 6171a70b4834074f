using Whip.Hosting;
using Whip.Protocol.Tls;

namespace Whip.Broker;

/// <summary>How a broker is set up. Addresses are <c>HOST:PORT</c> or <c>:PORT</c> (every interface; loopback without TLS); port 0 picks a free one.</summary>
public sealed class WhipBrokerOptions
{
    /// <summary>Where agents register, by gRPC; default <c>:50051</c>.</summary>
    public string GrpcListen { get; set; } = ":50051";

    /// <summary>Where the agents' legs arrive; default <c>:8000</c>.</summary>
    public string TcpListen { get; set; } = ":8000";

    /// <summary>Where dialers send CONNECT; default <c>:8010</c>. Empty: no dial front, only the embedding program dials.</summary>
    public string DialListen { get; set; } = ":8010";

    /// <summary><c>HOST:PORT</c> that agents are told for their legs; default the bound address, required when that is a wildcard.</summary>
    public string? ExternalTcp { get; set; }

    /// <summary>A JSON file of who may dial what; default none: whoever holds a certificate of the CA may dial everything.</summary>
    public string? DialPolicyPath { get; set; }

    /// <summary>How agents tell this broker from others; default a random name per start.</summary>
    public string BrokerId { get; set; } = $"broker-{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4))}";

    /// <summary>How long relays may go on after a stop was asked for; default 30 seconds. Then they are reset.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The broker's certificate and the CA of its peers.</summary>
    public WhipTlsOptions Tls { get; set; } = new();

    /// <summary>Every bound.</summary>
    public WhipLimits Limits { get; } = new();
}
