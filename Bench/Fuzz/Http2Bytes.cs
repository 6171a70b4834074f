using System.Buffers.Binary;
using System.Text;

namespace Whip.Bench.Fuzz;

/// <summary>HTTP/2 and gRPC by hand, so that they can be wrong.</summary>
internal static class Http2Bytes
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Reset = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte GoAway = 7;
    public const byte WindowUpdate = 8;
    public const byte EndStream = 1;
    public const byte Ack = 1;
    public const byte EndHeaders = 4;

    /// <summary>What a client begins a connection with.</summary>
    public static byte[] Preface { get; } = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8];

    public static byte[] Frame(byte type, byte flags, int stream, byte[] payload)
    {
        byte[] head = [.. Sized(3, payload)[..3], type, flags, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(5), stream);
        return [.. head, .. payload];
    }

    /// <summary>A message of gRPC.</summary>
    public static byte[] Message(byte[] content) => [0, .. Sized(4, content)];

    /// <summary>HPACK without its tables: each field is a literal with a name.</summary>
    public static byte[] HeaderBlock(params (string Name, string Value)[] fields) =>
        [.. fields.SelectMany(field => (byte[])[0, .. Sized(1, Encoding.ASCII.GetBytes(field.Name)), .. Sized(1, Encoding.ASCII.GetBytes(field.Value))])];

    /// <summary>The length in so many bytes, and the content.</summary>
    public static byte[] Sized(int size, byte[] content) =>
        [.. Enumerable.Range(1, size).Select(i => (byte)(content.Length >> (8 * (size - i)))), .. content];

    /// <summary>Adds frames that are right elsewhere, or nowhere.</summary>
    public static void ChangeFrames(List<byte[]> frames, Random random)
    {
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(frames.Count);
            frames.Insert(at, random.Next(7) switch
            {
                0 => frames[random.Next(frames.Count)],
                1 => Frame(Ping, (byte)random.Next(2), 0, new byte[8]),
                2 => Frame(WindowUpdate, 0, random.Next(3), BitConverter.GetBytes(random.Next())),
                3 => Frame(Reset, 0, 1, new byte[4]),
                4 => Frame(Settings, 0, 0, [0, (byte)random.Next(8), .. BitConverter.GetBytes(random.Next())]),
                5 => Frame(GoAway, 0, 0, new byte[8]),
                _ => Frame((byte)random.Next(12), (byte)random.Next(256), random.Next(6), Noise(random)),
            });
        }
    }

    private static byte[] Noise(Random random)
    {
        var noise = new byte[random.Next(64)];
        random.NextBytes(noise);
        return noise;
    }
}
