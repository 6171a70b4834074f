using System.Diagnostics.CodeAnalysis;

namespace Whip.Protocol.Tls;

/// <summary>What the verifier says of a peer: who it is, or one printable line that says why it is refused.</summary>
internal readonly record struct PeerVerdict(PeerIdentity? Identity, string Problem)
{
    [MemberNotNullWhen(true, nameof(Identity))]
    public bool IsTrusted => Identity is not null;
}
