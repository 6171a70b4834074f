using System.Net;
using Whip.AspNetCore.Dials;

namespace Whip.AspNetCore;

/// <summary>A published port of a registered name, as a local end point of Kestrel: nothing of this machine listens there.</summary>
public sealed class WhipEndPoint : EndPoint
{
    internal WhipEndPoint(DialServer server, string name, int port, bool isForHttp2)
    {
        Server = server;
        Name = name;
        Port = port;
        IsForHttp2 = isForHttp2;
    }

    /// <summary>The registered name, <c>hostname.domain</c>.</summary>
    public string Name { get; }

    /// <summary>The published port.</summary>
    public int Port { get; }

    internal DialServer Server { get; }

    /// <summary>It has the dials of a port of two protocols that begin as HTTP/2 without TLS does.</summary>
    internal bool IsForHttp2 { get; }

    /// <summary>As it is dialled: <c>instance1.testdom:80</c>.</summary>
    public override string ToString() => $"{Name}:{Port}";
}
