using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using static Whip.Bench.Fuzz.Http2Bytes;

namespace Whip.Bench.Fuzz;

/// <summary>Handshakes of SOCKS clients (RFC 1928, RFC 1929) with what follows them.</summary>
internal static class SocksCorpus
{
    private const byte Version = 5;
    private const byte Connect = 1;
    private const byte DomainName = 3;

    /// <summary>A handshake for <paramref name="target"/>, wrong in one of its fields, changed anywhere, both or neither.</summary>
    /// <param name="target">Such as <c>instance1.testdom:80</c>.</param>
    /// <param name="password">Of the user <c>whip</c>; null: none is asked for.</param>
    /// <param name="random">Chooses.</param>
    public static byte[] Next(string target, string? password, Random random)
    {
        var colon = target.LastIndexOf(':');
        var port = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(port, ushort.Parse(target[(colon + 1)..], CultureInfo.InvariantCulture));
        byte[][] fields = [password is null ? [0] : [0, 2], "whip"u8.ToArray(), Text(password ?? ""), Text(target[..colon])];
        byte[] codes = [Version, Connect, DomainName];
        var wrong = random.Next(12);
        if (wrong < fields.Length)
        {
            fields[wrong] = NextBytes(random);
        }
        else if (wrong < 6)
        {
            fields[3] = NextName(random);
        }
        else if (wrong < 9)
        {
            codes[wrong - 6] = (byte)random.Next(random.Next(2) == 0 ? 8 : 256);
        }
        else if (wrong == 9)
        {
            random.NextBytes(port);
        }

        byte[] auth = password is null ? [] : [1, .. Sized(1, fields[1]), .. Sized(1, fields[2])];
        byte[] address = codes[2] == DomainName ? Sized(1, fields[3]) : new byte[random.Next(2) == 0 ? 4 : 16];
        byte[] bytes =
        [
            codes[0], .. Sized(1, fields[0]), .. auth, codes[0], codes[1], 0, codes[2], .. address, .. port, .. FrameCorpus.Request,
        ];
        return random.Next(2) == 0 ? Mutation.Next([bytes], random) : bytes;
    }

    private static byte[] Text(string text) => Encoding.ASCII.GetBytes(text);

    private static byte[] NextBytes(Random random)
    {
        var bytes = new byte[random.Next(256)];
        random.NextBytes(bytes);
        return bytes;
    }

    // Of every length; its labels too.
    private static byte[] NextName(Random random)
    {
        var name = new byte[random.Next(256)];
        for (var i = 0; i < name.Length; i++)
        {
            name[i] = random.Next(40) == 0 ? (byte)'.' : (byte)random.Next('a', 'z' + 1);
        }

        return name;
    }
}
