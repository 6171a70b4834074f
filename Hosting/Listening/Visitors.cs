namespace Whip.Hosting.Listening;

/// <summary>What a connection is, by its first bytes.</summary>
internal enum Visitor
{
    Unknown,

    /// <summary>It begins a TLS handshake.</summary>
    Tls,

    /// <summary>The preface of HTTP/2: an agent, of whichever make, calls by gRPC.</summary>
    Agent,

    /// <summary>The HTTP/1 request by which an agent of ours asks what it was led to.</summary>
    AskingAgent,

    /// <summary>CONNECT.</summary>
    Dialer,

    /// <summary>The preamble of an agent's leg.</summary>
    Leg,

    /// <summary>A request for the admin API.</summary>
    Admin,

    /// <summary>Any other HTTP/1 request.</summary>
    Browser,
}

/// <summary>Tells visitors apart.</summary>
internal static class Visitors
{
    /// <summary>Enough to see the path of a request.</summary>
    public const int MaxStart = 256;

    /// <summary>Fewer bytes are the beginning of several.</summary>
    public const int LeastStart = 4;

    private const byte TlsHandshake = 0x16;

    // The shortest method is GET.
    private const int Method = 3;

    private static ReadOnlySpan<byte> Http2 => "PRI "u8;

    /// <summary>Whether more bytes are needed to tell.</summary>
    public static bool MayBecomeAgent(ReadOnlySpan<byte> start) => start.Length < Http2.Length && Http2.StartsWith(start);

    public static Visitor Of(ReadOnlySpan<byte> start)
    {
        if (start.IsEmpty || start[..Math.Min(start.Length, Method)].ContainsAnyExceptInRange((byte)'A', (byte)'Z'))
        {
            // A silo begins with a length, whose second byte is 0.
            return start is [TlsHandshake, not 0, ..] ? Visitor.Tls : start is [(byte)'{', not 0, ..] ? Visitor.Leg : Visitor.Unknown;
        }

        var end = start.IndexOf((byte)'\n');
        var line = end < 0 ? start : start[..end];
        return line.StartsWith(Http2) ? Visitor.Agent
            : line.StartsWith("CONNECT "u8) ? Visitor.Dialer
            : line.IndexOf(" /v1.Whip/"u8) > 0 ? Visitor.AskingAgent
            : line.IndexOf(" /api/"u8) > 0 ? Visitor.Admin
            : Visitor.Browser;
    }
}
