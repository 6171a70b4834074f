using System.Net;

namespace Whip.Hosting.Programs;

/// <summary>One item of the ready line, such as <c>grpc=127.0.0.1:50051</c>.</summary>
internal readonly record struct BoundAddress(string Name, IPEndPoint EndPoint)
{
    public override string ToString() => $"{Name}={EndPoint}";
}
