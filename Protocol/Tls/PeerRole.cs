namespace Whip.Protocol.Tls;

/// <summary>What a peer's leaf must be good for.</summary>
internal enum PeerRole
{
    /// <summary>A broker: serverAuth, and a SAN that covers the host it was reached at.</summary>
    Broker,

    /// <summary>An agent or a dialer: clientAuth.</summary>
    Client,
}
