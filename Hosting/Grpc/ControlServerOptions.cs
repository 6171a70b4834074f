using System.Net;
using Whip.Hosting.Listening;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Grpc;

/// <summary>How a control listener is served.</summary>
/// <param name="Listen">Port 0 picks a free one.</param>
/// <param name="Tls">Null: plain HTTP/2 with prior knowledge.</param>
/// <param name="Gate">Bounds the connections that have not registered.</param>
/// <param name="MaxMessageSize">Of one request message, in bytes.</param>
/// <param name="OnRejected">Told why a connection ended before it was of use: refused, timeout or evicted.</param>
internal sealed record ControlServerOptions(IPEndPoint Listen, TlsIdentity? Tls, UnauthenticatedGate Gate, int MaxMessageSize = 65536, Action<string>? OnRejected = null)
{
    /// <summary>For the first bytes and the TLS handshake together; default 5 seconds.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>TLS handshakes in progress; the others wait for their turn. Default 64 per core.</summary>
    public int Handshakes { get; init; } = 64 * Environment.ProcessorCount;
}
