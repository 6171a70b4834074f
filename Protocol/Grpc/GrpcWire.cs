using System.Buffers.Binary;
using Google.Protobuf;

namespace Whip.Protocol.Grpc;

/// <summary>The words of gRPC over HTTP/2 that both sides use, and the frame around a message.</summary>
internal static class GrpcWire
{
    public const string ContentType = "application/grpc";
    public const string StatusHeader = "grpc-status";
    public const string MessageHeader = "grpc-message";
    public const string EncodingHeader = "grpc-encoding";
    public const string AcceptEncodingHeader = "grpc-accept-encoding";
    public const string TimeoutHeader = "grpc-timeout";
    public const string Identity = "identity";

    /// <summary>The compressed flag and four bytes of length.</summary>
    public const int PrefixSize = 5;

    /// <summary>The largest message either side takes, in bytes.</summary>
    public const int MaxMessageSize = 64 * 1024;

    /// <summary>application/grpc, alone or with the protobuf suffix, with or without parameters.</summary>
    public static bool IsGrpc(string? contentType)
    {
        var type = contentType.AsSpan();
        var parameters = type.IndexOf(';');
        type = (parameters < 0 ? type : type[..parameters]).Trim();
        return type.Equals(ContentType, StringComparison.OrdinalIgnoreCase)
            || type.Equals(ContentType + "+proto", StringComparison.OrdinalIgnoreCase);
    }

    public static bool IsIdentity(string? encoding) => string.IsNullOrEmpty(encoding) || encoding == Identity;

    /// <summary>One message as it goes on the wire, uncompressed.</summary>
    public static byte[] Frame(IMessage message)
    {
        var size = message.CalculateSize();
        var frame = new byte[PrefixSize + size];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), size);
        message.WriteTo(frame.AsSpan(PrefixSize));
        return frame;
    }
}
