using System.Net;
using Whip.Grains.Membership;
using Whip.Protocol.Tls;

namespace Whip.Grains.Silos;

/// <summary>How a broker is a silo.</summary>
internal sealed class SiloSetup
{
    public required string ClusterId { get; init; }

    /// <summary>The silo's name, by which the others know whose it is.</summary>
    public required string BrokerId { get; init; }

    public required ISiloStore Store { get; init; }

    public string Zone { get; init; } = "";

    public required IPEndPoint Listen { get; init; }

    /// <summary>Where the other silos reach it.</summary>
    public required IPEndPoint External { get; init; }

    /// <summary>For Orleans clients, which a broker is not; null for none.</summary>
    public required IPEndPoint? GatewayListen { get; init; }

    /// <summary>Null: plain, between brokers of one machine.</summary>
    public required TlsIdentity? Tls { get; init; }
}
