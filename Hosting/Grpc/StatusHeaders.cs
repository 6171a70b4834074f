using Microsoft.AspNetCore.Http;
using Whip.Protocol.Grpc;

namespace Whip.Hosting.Grpc;

/// <summary>A status in the head of a response, or in its trailers.</summary>
internal static class StatusHeaders
{
    public static void Write(IHeaderDictionary headers, GrpcStatus status)
    {
        headers[GrpcWire.StatusHeader] = StatusText.Code(status.Code);
        if (status.Message.Length > 0)
        {
            headers[GrpcWire.MessageHeader] = StatusText.Encode(status.Message);
        }
    }
}
