using System.Text;

namespace Whip.Bench.Fuzz;

/// <summary>Changes valid bytes at random.</summary>
internal static class Mutation
{
    // More than any head or line that is read.
    private const int MaxLength = 160 * 1024;

    private const int MostChanges = 5;
    private const int MostMoved = 64;
    private const int MostDoublings = 11;

    private static readonly byte[][] Pieces =
    [
        .. new[]
        {
            "\r\n", "\n", "\r", "\0", " ", "\t", ":", ",", ";", "\"", "{", "}", "[", "]", "\\", "/", "..", "%00", "%2e%2e", "*", "?", "#", "@", "\n\n",
            "HTTP/1.1", "HTTP/1.0", "HTTP/2", "CONNECT ", "Content-Length: 5\r\n", "Content-Length: 6\r\n", "Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n", "Connection: close\r\n", "Connection: upgrade\r\n", "Upgrade: tcp\r\n", "Expect: 100-continue\r\n",
            "Host: x\r\n", "0\r\n\r\n", "5\r\nhello\r\n", "5;x=y\r\nhello\r\n", "ffffffffffffffff\r\n", "\\ud800", "\\u0000", "\u00ff", "xn--", "[::1]",
            "Whip-Wait: 1\r\n", "Whip-Deadline: 1\r\n", "Whip-Forwarded: b\r\n", "\u0016\u0003\u0001", "\u0015\u0003\u0003\0\u0002\u0001\0",
        }.Select(text => Encoding.Latin1.GetBytes(text)),
    ];

    private static readonly byte[][] Numbers =
    [
        .. new[]
        {
            "0", "00", "1", "-1", "+1", "1e9", "0x10", "255", "256", "65535", "65536", "2147483647", "2147483648", "4294967295", "4294967296",
            "9223372036854775807", "9223372036854775808", "18446744073709551616", "99999999999999999999999999", "7fffffffffffffff", "ffffffffffffffff",
        }.Select(text => Encoding.Latin1.GetBytes(text)),
    ];

    /// <summary>One of <paramref name="corpus"/> with a few changes, sometimes with none.</summary>
    public static byte[] Next(IReadOnlyList<byte[]> corpus, Random random)
    {
        var bytes = new List<byte>(corpus[random.Next(corpus.Count)]);
        var other = corpus[random.Next(corpus.Count)];
        for (var changes = random.Next(MostChanges + 1); changes > 0; changes--)
        {
            Change(bytes, other, random);
        }

        return [.. bytes.Take(MaxLength)];
    }

    private static void Change(List<byte> bytes, byte[] other, Random random)
    {
        var at = random.Next(bytes.Count + 1);
        var length = random.Next(Math.Min(bytes.Count - at, MostMoved) + 1);
        switch (random.Next(10))
        {
            case 0 or 1 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 2 when at < bytes.Count:
                bytes[at] = (byte)random.Next(256);
                break;
            case 3:
                bytes.RemoveRange(at, length);
                break;
            case 4:
                bytes.RemoveRange(at, random.Next(4) == 0 ? bytes.Count - at : length);
                break;
            case 5:
                var times = 1 << random.Next(random.Next(1, MostDoublings + 1));
                bytes.InsertRange(at, Enumerable.Repeat(bytes.GetRange(at, length), times).SelectMany(part => part).ToArray());
                break;
            case 6:
                var noise = new byte[length];
                random.NextBytes(noise);
                bytes.InsertRange(at, noise);
                break;
            case 7:
                var start = random.Next(other.Length + 1);
                bytes.InsertRange(at, other[start..random.Next(start, other.Length + 1)]);
                break;
            case 8:
                ChangeNumber(bytes, random);
                break;
            default:
                bytes.InsertRange(at, Pieces[random.Next(Pieces.Length)]);
                break;
        }
    }

    private static void ChangeNumber(List<byte> bytes, Random random)
    {
        int[] starts = [.. Enumerable.Range(0, bytes.Count).Where(i => IsDigit(i) && !IsDigit(i - 1))];
        if (starts.Length > 0)
        {
            var start = starts[random.Next(starts.Length)];
            var length = Enumerable.Range(start, bytes.Count - start).TakeWhile(IsDigit).Count();
            bytes.RemoveRange(start, length);
            bytes.InsertRange(start, Numbers[random.Next(Numbers.Length)]);
        }

        bool IsDigit(int i) => i >= 0 && bytes[i] is >= (byte)'0' and <= (byte)'9';
    }
}
