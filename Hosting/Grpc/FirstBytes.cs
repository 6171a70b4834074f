namespace Whip.Hosting.Grpc;

/// <summary>What a connection speaks, as far as its first bytes tell.</summary>
internal enum FirstBytes
{
    /// <summary>It ended before it said anything.</summary>
    None,

    Tls,

    /// <summary>The preface of HTTP/2, without TLS.</summary>
    Http2,

    /// <summary>A method in capitals, without TLS.</summary>
    Http1,

    Other,
}
