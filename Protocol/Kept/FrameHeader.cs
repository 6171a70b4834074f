using System.Buffers.Binary;

namespace Whip.Protocol.Kept;

/// <summary>The kind of a frame and the length of its payload, as they stand before it on a kept connection (docs/wire.md).</summary>
internal readonly record struct FrameHeader(FrameKind Kind, int Length)
{
    public const int Size = 4;

    /// <summary>Of the payload of one <see cref="FrameKind.Data"/>.</summary>
    public const int MaxData = 256 * 1024;

    /// <summary>Of the payload of one <see cref="FrameKind.Open"/>.</summary>
    public const int MaxOpen = 16 * 1024;

    private const int MaxRefused = 1024;

    /// <summary>Reads the first <see cref="Size"/> bytes; false if no frame has this kind and length.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out FrameHeader header)
    {
        header = new FrameHeader((FrameKind)bytes[0], (bytes[1] << 16) | BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]));
        return header.Kind switch
        {
            FrameKind.Data => header.Length is >= 1 and <= MaxData,
            FrameKind.Open => header.Length <= MaxOpen,
            FrameKind.Refused => header.Length <= MaxRefused,
            FrameKind.End or FrameKind.Opened or FrameKind.Done or FrameKind.Wait => header.Length == 0,
            _ => false,
        };
    }

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt32BigEndian(bytes, Length);
        bytes[0] = (byte)Kind;
    }
}

/// <summary>What a frame says. The numbers are the wire's.</summary>
internal enum FrameKind : byte
{
    /// <summary>Bytes of the dial.</summary>
    Data = 0,

    /// <summary>The sender's direction of the dial has ended.</summary>
    End = 1,

    /// <summary>Asks an agent for a dial: a Connect message.</summary>
    Open = 2,

    /// <summary>The agent has its local connection.</summary>
    Opened = 3,

    /// <summary>The agent has none: a ConnectFailed message.</summary>
    Refused = 4,

    /// <summary>Everything of the dial has been written to the other side; the connection is idle.</summary>
    Done = 5,

    /// <summary>The dial is pending.</summary>
    Wait = 6,
}
