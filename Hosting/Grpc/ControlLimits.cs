using Microsoft.AspNetCore.Server.Kestrel.Core;
using Whip.Protocol.Grpc;

namespace Whip.Hosting.Grpc;

/// <summary>What a control listener allows a peer.</summary>
internal static class ControlLimits
{
    /// <summary>An agent opens one; a client library that shares a connection among several agents of one process opens a few.</summary>
    private const int StreamsPerConnection = 16;

    /// <summary>For a connection without a stream, and for the head of a request.</summary>
    private static readonly TimeSpan IdleConnection = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RequestHead = TimeSpan.FromSeconds(5);

    public static KestrelServerOptions Apply(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;

        // TLS ends in front of Kestrel, which takes every connection for plain: a peer's ":scheme https" is right nevertheless.
        kestrel.AllowAlternateSchemes = true;

        // A control stream is idle most of its life; the service judges it by pings.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.KeepAliveTimeout = IdleConnection;
        kestrel.Limits.RequestHeadersTimeout = RequestHead;
        kestrel.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 64;
        kestrel.Limits.Http2.MaxStreamsPerConnection = StreamsPerConnection;
        kestrel.Limits.Http2.MaxRequestHeaderFieldSize = 4 * 1024;
        kestrel.Limits.Http2.InitialStreamWindowSize = 2 * GrpcWire.MaxMessageSize;
        kestrel.Limits.Http2.InitialConnectionWindowSize = StreamsPerConnection * 2 * GrpcWire.MaxMessageSize;
        return kestrel;
    }
}
