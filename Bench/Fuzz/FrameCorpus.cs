using System.Text;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Whip.Protocol.Kept;
using Whip.Protocol.Messages;

namespace Whip.Bench.Fuzz;

/// <summary>Frames of kept connections, and the heads around them.</summary>
internal static partial class FrameCorpus
{
    private const int MostChanges = 4;

    private static readonly byte[] End = Frame(FrameKind.End, []);

    /// <summary>Says that a dial is done.</summary>
    public static byte[] Done { get; } = Frame(FrameKind.Done, []);

    /// <summary>What a service answers.</summary>
    public static byte[] Request { get; } = "GET / HTTP/1.1\r\n\r\n"u8.ToArray();

    /// <summary>What is said on a leg for a dial that has been opened.</summary>
    public static byte[] OneDial { get; } = [.. Frame(FrameKind.Data, Request), .. End];

    // One of each kind, to put where it does not belong, and what is none.
    private static readonly byte[][] Others =
    [
        End, Done, Frame(FrameKind.Wait, []), Frame(FrameKind.Opened, []), Data("x"), Data(new string('y', 70_000)),
        [0, 0, 0, 0], [0, 4, 0, 0], [7, 0, 0, 0], [255, 255, 255, 255],
        Frame(FrameKind.Open, new Connect { ConnectionID = "0123456789abcdef0123456789abcdef", Host = "127.0.0.1", Port = 1, LocalPort = 80 }.ToByteArray()),
        Frame(FrameKind.Refused, new ConnectFailed { ConnectionID = "0123456789abcdef0123456789abcdef", ErrorMessage = "refused" }.ToByteArray()),
    ];

    [GeneratedRegex("Whip-Keep: ([0-9a-f]{16})", RegexOptions.RightToLeft)]
    private static partial Regex Word { get; }

    /// <summary>The dial of a dialer that keeps its connection.</summary>
    public static byte[] Dial(string target) => Encoding.ASCII.GetBytes(
        $"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nConnection: Whip-Keep\r\nWhip-Keep: 0123456789abcdef\r\n\r\n");

    /// <summary>What a dialer sends behind the head that answered: a dial or two, changed in their frames or anywhere.</summary>
    public static byte[] NextDials(string target, Random random)
    {
        List<byte[]> frames = [Data("GET / HTTP/1.1\r\n\r\n"), Data("GET / HTTP/1.1\r\n\r\n"), End];
        if (random.Next(2) == 0)
        {
            frames.AddRange([Dial(target), Data("GET / HTTP/1.1\r\n\r\n"), End]);
        }

        return Next(frames, random);
    }

    /// <summary>How a broker answers the dial of this head.</summary>
    public static byte[] NextAnswer(string head, Random random)
    {
        var keep = $"Connection: Whip-Keep\r\nWhip-Keep: {Word.Match(head).Groups[1].Value}\r\n";
        var answer = random.Next(8) switch
        {
            0 => "HTTP/1.1 200 Connection established\r\n\r\n",
            1 => $"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n{keep}\r\nno\n",
            2 => $"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 Connection established\r\n{keep}\r\n",
            _ => $"HTTP/1.1 200 Connection established\r\n{keep}\r\n",
        };
        var start = Encoding.ASCII.GetBytes(answer);
        start = random.Next(4) == 0 ? Mutation.Next([start], random) : start;
        return Next([start, Data("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), Data("ok"), End, Done], random);
    }

    /// <summary>What a broker sends on a leg: its first dial or later ones, changed in their frames or anywhere.</summary>
    public static byte[] NextOpens(string id, int service, Random random)
    {
        List<byte[]> frames = [Frame(FrameKind.Data, Request), End];
        for (var opens = random.Next(3); opens > 0; opens--)
        {
            var connect = new Connect { ConnectionID = $"{id}-{opens}", LocalPort = (uint)service, Deadline = (uint)random.Next(3) * 1000, Dialer = { "a" } };
            frames.InsertRange(0, [Frame(FrameKind.Open, connect.ToByteArray()), OneDial]);
        }

        return Next(frames, random, first: 0);
    }

    private static byte[] Next(List<byte[]> frames, Random random, int first = 1)
    {
        for (var changes = random.Next(MostChanges); changes > 0; changes--)
        {
            var at = random.Next(first, frames.Count);
            switch (random.Next(3))
            {
                case 0:
                    frames.Insert(at, Others[random.Next(Others.Length)]);
                    break;
                case 1:
                    frames.Insert(at, frames[random.Next(frames.Count)]);
                    break;
                default:
                    frames[at] = Mutation.Next([frames[at]], random);
                    break;
            }
        }

        return [.. frames.SelectMany(frame => frame)];
    }

    private static byte[] Data(string text) => Frame(FrameKind.Data, Encoding.ASCII.GetBytes(text));

    private static byte[] Frame(FrameKind kind, byte[] payload)
    {
        var frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(kind, payload.Length).Write(frame);
        payload.CopyTo(frame, FrameHeader.Size);
        return frame;
    }
}
