using System.Net;
using Microsoft.AspNetCore.Connections;
using Whip.Protocol.Tls;

namespace Whip.Grains.Silos;

/// <summary>The options of a broker's silo.</summary>
internal sealed class SiloSetup
{
    public required string ClusterId { get; init; }

    /// <summary>The name of the silo.</summary>
    public required string BrokerId { get; init; }

    public required ISiloStore Store { get; init; }

    public string Zone { get; init; } = "";

    public required IPEndPoint Listen { get; init; }

    /// <summary>Where the other silos reach it.</summary>
    public required IPEndPoint External { get; init; }

    /// <summary>For Orleans clients; null for none.</summary>
    public required IPEndPoint? GatewayListen { get; init; }

    /// <summary>Binds the silo's listeners and accepts their connections; null for Orleans' own, which accepts without a limit.</summary>
    public IConnectionListenerFactory? Transport { get; init; }

    /// <summary>Connection middleware for what the silo's listeners accept, in front of TLS.</summary>
    public Func<ConnectionDelegate, ConnectionDelegate> Guard { get; init; } = static next => next;

    /// <summary>The same behind TLS.</summary>
    public Func<ConnectionDelegate, ConnectionDelegate> Admission { get; init; } = static next => next;

    /// <summary>Null: without TLS, between brokers of one machine.</summary>
    public required TlsIdentity? Tls { get; init; }
}
