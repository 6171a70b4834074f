namespace Whip.Protocol.Via;

/// <summary>A proxy has made no tunnel; the message is one printable line that names the proxy, the reason and what to do.</summary>
internal sealed class ProxyException(ProxyFault fault, string problem, Exception? cause = null) : IOException(problem, cause)
{
    public ProxyFault Fault => fault;

    /// <summary>Of its answer; null: there was none.</summary>
    public int? Status { get; init; }
}

/// <summary>What a proxy did instead of making a tunnel.</summary>
internal enum ProxyFault
{
    /// <summary>It cannot be connected to, or ended the connection.</summary>
    Unreachable,

    /// <summary>It does not let this user through, or not to this address.</summary>
    Refused,

    /// <summary>It cannot reach the address, or does not answer as a proxy.</summary>
    Failed,
}
