namespace Whip.Protocol.Tls;

/// <summary>Carries the verdict out of one handshake, whose exception only says that the certificate was refused.</summary>
internal sealed class PeerVerdictHolder
{
    /// <summary>Null until the peer's certificate was judged.</summary>
    public PeerVerdict? Verdict { get; set; }
}
