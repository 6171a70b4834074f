using System.Text;
using Google.Protobuf;
using Whip.Protocol.Messages;
using static Whip.Bench.Fuzz.Http2Bytes;

namespace Whip.Bench.Fuzz;

/// <summary>Binary protocols by hand: the first messages of TLS, and control streams in HTTP/2.</summary>
internal static class WireCorpus
{
    // Of those that register here; nobody dials them.
    private const string Domain = "fuzzed";

    // The first is the one that a control stream begins with.
    private static readonly IReadOnlyList<byte[]> Messages =
    [
        new RequestStream
        {
            Register = new Register { Hostname = "a", Domain = Domain, Ports = { 80, 443 }, AgentId = "1", Generation = 1, Capabilities = { "ping" } },
        }.ToByteArray(),
        new RequestStream { Register = new Register { Hostname = "b", Domain = Domain, Ports = { 5051 }, Zone = "z" } }.ToByteArray(),
        new RequestStream { ConnectFailed = new ConnectFailed { ConnectionID = "0123456789abcdef0123456789abcdef", ErrorMessage = "refused" } }.ToByteArray(),
        new RequestStream { Pong = new Pong { Sequence = 1, PingTimestamp = new() { Seconds = 1 } } }.ToByteArray(),
        new RequestStream { Health = new Health { Port = 80, Seconds = 5, Check = CheckKind.Http, Failure = CheckFailure.Lost, Status = 503 } }.ToByteArray(),
        new RequestStream { Health = new Health { Port = 80, Ok = true, Seconds = 1, Check = CheckKind.Http } }.ToByteArray(),
        new RequestStream { Ping = new Ping { Sequence = 2, PingTimestamp = new() { Seconds = 1, Nanos = 5 } } }.ToByteArray(),
    ];

    private static readonly IReadOnlyList<byte[]> Heads =
    [
        Head(("content-type", "application/grpc"), ("te", "trailers")),
        Head(("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "10S"), ("grpc-encoding", "gzip")),
        Head(("content-type", "application/json"), ("content-length", "5")),
    ];

    /// <summary>What a client of TLS 1.3 sends first, and what may follow it.</summary>
    public static byte[] ClientHello { get; } =
    [
        0x16, 3, 1, .. Sized(2, [
            1, .. Sized(3, [
                3, 3, .. Enumerable.Range(0, 32).Select(i => (byte)i), .. Sized(1, []),
                .. Sized(2, [0x13, 1, 0x13, 2, 0xc0, 0x2b, 0xc0, 0x2f]), .. Sized(1, [0]),
                .. Sized(2, [
                    0, 0, .. Sized(2, Sized(2, [0, .. Sized(2, Encoding.ASCII.GetBytes("localhost"))])),
                    0, 10, .. Sized(2, Sized(2, [0, 29, 0, 23])),
                    0, 13, .. Sized(2, Sized(2, [4, 3, 8, 4, 4, 1])),
                    0, 16, .. Sized(2, Sized(2, Sized(1, "h2"u8.ToArray()))),
                    0, 43, .. Sized(2, Sized(1, [3, 4, 3, 3])),
                    0, 51, .. Sized(2, Sized(2, [0, 29, .. Sized(2, [.. Enumerable.Repeat((byte)9, 32)])])),
                ]),
            ]),
        ]),
    ];

    /// <summary>What strangers send to the listeners of TLS.</summary>
    public static IReadOnlyList<byte[]> Strangers { get; } =
    [
        ClientHello,
        [.. ClientHello, 0x14, 3, 3, 0, 1, 1, 0x17, 3, 3, .. Sized(2, new byte[64])],
        [.. ClientHello, 0x15, 3, 3, 0, 2, 2, 42],
        [0x16, 3, 0, .. Sized(2, [1, 0, 0, 2, 3, 0])],
        ControlStream([Frame(Headers, EndHeaders, 1, Heads[0]), Frame(Data, 0, 1, Message(Messages[0]))]),
        Encoding.ASCII.GetBytes("CONNECT instance1.testdom:80 HTTP/1.1\r\nHost: instance1.testdom:80\r\n\r\n"),
        Encoding.ASCII.GetBytes("""{"connectionID":"0123456789abcdef0123456789abcdef"}"""),
        Encoding.ASCII.GetBytes("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:80\r\nAccept: text/plain\r\nConnection: close\r\n\r\n"),
        Encoding.ASCII.GetBytes("GET /healthz HTTP/1.1\r\nHost: localhost:80\r\n\r\nHEAD /readyz HTTP/1.0\r\n\r\n"),
        Encoding.ASCII.GetBytes("POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ];

    /// <summary>What may come to the port of a silo: the beginning of a connection of Orleans, a length and a message, and that of strangers.</summary>
    public static IReadOnlyList<byte[]> Silos { get; } =
    [
        [.. BitConverter.GetBytes(64), .. new byte[64]],
        [.. BitConverter.GetBytes(20), .. Messages[0].Take(20), .. BitConverter.GetBytes(10), .. BitConverter.GetBytes(100), .. new byte[110]],
        [8, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 255, 255, 255, 255],
        .. Strangers.Take(1),
        .. Strangers.Skip(4),
    ];

    /// <summary>A control stream that is changed in its messages, its headers, its frames or anywhere.</summary>
    public static byte[] NextControlStream(Random random)
    {
        var layer = random.Next(4);
        var head = layer == 1 ? Mutation.Next(Heads, random) : Heads[random.Next(Heads.Count)];
        List<byte[]> frames = [Frame(Headers, EndHeaders, 1, head)];
        for (var count = random.Next(4); count >= 0; count--)
        {
            var message = layer == 0 ? Mutation.Next(Messages, random) : Messages[frames.Count == 1 ? 0 : random.Next(Messages.Count)];
            frames.Add(Frame(Data, count == 0 && random.Next(2) == 0 ? EndStream : (byte)0, 1, Message(message)));
        }

        if (layer == 2)
        {
            ChangeFrames(frames, random);
        }

        var bytes = ControlStream(frames);
        return layer == 3 ? Mutation.Next([bytes], random) : bytes;
    }

    private static byte[] ControlStream(IEnumerable<byte[]> frames) =>
        [.. Preface, .. Frame(Settings, 0, 0, []), .. frames.SelectMany(frame => frame)];

    private static byte[] Head(params (string Name, string Value)[] fields) =>
        HeaderBlock([(":method", "POST"), (":scheme", "http"), (":path", "/v1.Whip/Register"), (":authority", "localhost"), .. fields]);
}
