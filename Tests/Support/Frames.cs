using Google.Protobuf;
using Whip.Protocol.Kept;
using Whip.Protocol.Legs;
using Whip.Protocol.Messages;

namespace Whip.Tests.Support;

/// <summary>The frames of a kept leg, written and read by hand.</summary>
internal static class Frames
{
    public static readonly byte[] End = [1, 0, 0, 0];
    public static readonly byte[] Opened = [3, 0, 0, 0];
    public static readonly byte[] Done = [5, 0, 0, 0];
    public static readonly byte[] Wait = [6, 0, 0, 0];

    public static byte[] Data(params byte[] bytes) => Of(FrameKind.Data, bytes);

    public static byte[] Open(Connect connect) => Of(FrameKind.Open, connect.ToByteArray());

    public static byte[] Refused(string id, string reason) =>
        Of(FrameKind.Refused, new ConnectFailed { ConnectionID = id, ErrorMessage = reason }.ToByteArray());

    public static async Task<Connect> ReadOpenAsync(this Leg leg) => Connect.Parser.ParseFrom(await leg.ReadFrameAsync(FrameKind.Open));

    public static async Task<ConnectFailed> ReadRefusedAsync(this Leg leg) => ConnectFailed.Parser.ParseFrom(await leg.ReadFrameAsync(FrameKind.Refused));

    /// <summary>The payload of the next frame, which must be of this kind.</summary>
    public static async Task<byte[]> ReadFrameAsync(this Leg leg, FrameKind kind)
    {
        Assert.True(FrameHeader.TryRead(await leg.ReadExactlyAsync(FrameHeader.Size), out var header));
        Assert.Equal(kind, header.Kind);
        return await leg.ReadExactlyAsync(header.Length);
    }

    private static byte[] Of(FrameKind kind, byte[] payload)
    {
        var frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(kind, payload.Length).Write(frame);
        payload.CopyTo(frame, FrameHeader.Size);
        return frame;
    }
}
