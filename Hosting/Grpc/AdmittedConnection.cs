using System.Net;
using Whip.Hosting.Listening;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Grpc;

/// <summary>What the calls of a connection know of it, and it of them; a feature of the connection.</summary>
internal sealed class AdmittedConnection(IPEndPoint remoteEndPoint, UnauthenticatedGate.Entry entry)
{
    public IPEndPoint RemoteEndPoint => remoteEndPoint;

    public UnauthenticatedGate.Entry Entry => entry;

    public PeerIdentity? Peer { get; set; }

    public bool HasCalled { get; set; }
}
