using System.Net;
using Whip.Hosting.Listening;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Grpc;

/// <summary>What the requests of a connection know of it; a feature of the connection.</summary>
internal sealed record AdmittedConnection(IPEndPoint RemoteEndPoint, PeerIdentity? Peer, UnauthenticatedGate.Entry Entry);
