using System.Net;
using Whip.Protocol.Tls;

namespace Whip.Protocol.Grpc;

/// <summary>Where and as whom to open a control stream.</summary>
/// <param name="Address">The address the call is pinned to.</param>
/// <param name="Authority">host:port as the user wrote it; under TLS the peer's leaf must cover the host.</param>
/// <param name="Tls">Null: plain HTTP/2 with prior knowledge.</param>
/// <param name="ConnectTimeout">For TCP, TLS and the request's head together.</param>
internal sealed record ControlCallOptions(IPEndPoint Address, string Authority, TlsIdentity? Tls, TimeSpan ConnectTimeout);
