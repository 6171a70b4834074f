namespace Whip.Protocol.Legs;

/// <summary>A TLS handshake that failed; the message is one printable line for a log.</summary>
internal sealed class LegHandshakeException(string problem, Exception? cause = null) : Exception(problem, cause);
