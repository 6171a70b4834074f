using System.Net;
using System.Text;
using Google.Protobuf;
using Whip.Protocol.Messages;
using Whip.Protocol.Names;
using static Whip.Bench.Fuzz.Http2Bytes;

namespace Whip.Bench.Fuzz;

/// <summary>What a broker says to an agent on a control stream. Nothing of it makes the agent connect to another machine.</summary>
/// <param name="honest">The control listener of a broker that the agent has too.</param>
/// <param name="legs">Where the legs are taken.</param>
/// <param name="service">A port that the agent publishes.</param>
internal sealed class BrokerCorpus(IPEndPoint honest, IPEndPoint legs, int service)
{
    private const string Loopback = "127.0.0.1";

    // Where no program listens that does not listen at every address.
    private const string Nobody = "127.81.0.";

    // Larger ones end the stream.
    private const int MaxMessage = 60_000;

    private const int MostMembers = 40;
    private const int MostMessages = 4;

    // Such as nobody looks up, and such as an agent refuses on a stream that is registered.
    private static readonly string[] Hosts =
    [
        Loopback, Loopback, Loopback, Loopback, "", "::1", "[::1]", "0.0.0.0", "::", "127.0.0.1:1", " 127.0.0.1", "127.0.0.1\r\n", "127.0.0.1\0",
        "..", "a b", "*", "-", "broker.invalid", new('x', 253), new('y', 20_000), "\u00e9", "\u202e", "127.0.0.1%1", "unix:/x",
    ];

    private static readonly string[] Texts =
    [
        "", "a", "\0", "\r\nFORGED", "\u001b[31m", "\u00e9\u202e", "\"}", "whip://whip/broker/b1", "*", "*.dialers", "mallory.dialers", "0123456789abcdef:01",
        new('z', 300), new('z', 30_000),
    ];

    private static readonly byte[] Head = HeaderBlock((":status", "200"), ("content-type", "application/grpc"));

    private static readonly byte[][] Heads =
    [
        Head,
        HeaderBlock((":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", "gzip"), ("grpc-status", "0")),
        HeaderBlock((":status", "503"), ("content-type", "text/html"), ("content-length", "5"), ("retry-after", "1")),
        HeaderBlock((":status", "307"), ("location", "http://127.0.0.1:1/"), ("set-cookie", "a=b")),
        HeaderBlock((":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "14"), ("grpc-message", "no%ff")),
        HeaderBlock((":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "14"), ("grpc-retry-pushback-ms", "-1")),
    ];

    /// <summary>The start of the answer to a registration: HTTP and the first message.</summary>
    public byte[] Accept(string brokerId) => [.. Frame(Headers, EndHeaders, 1, Head), .. Frame(Data, 0, 1, Message(Registered(brokerId).ToByteArray()))];

    /// <summary>The message of an honest dial, whose leg comes with this id.</summary>
    public byte[] Connect(string id, bool keep)
    {
        var connect = new Connect
        {
            ConnectionID = id,
            Host = Loopback,
            Port = (uint)legs.Port,
            LocalPort = (uint)service,
            Deadline = 5000,
            Keep = keep,
        };
        return Message(new ResponseStream { Connect = connect }.ToByteArray());
    }

    /// <summary>Messages with their heads. The stream goes on after most of them.</summary>
    public IReadOnlyList<byte[]> NextMessages(Random random)
    {
        var mayEnd = random.Next(256) == 0;
        return [.. Enumerable.Range(0, random.Next(1, MostMessages)).Select(_ => Message(NextMessage(random, mayEnd)))];
    }

    /// <summary>What is said on the leg of a dial, and whether it is kept and has frames.</summary>
    public (FuzzInput Input, bool IsKept) NextLeg(string id, Random random)
    {
        var isKept = random.Next(4) > 0;
        var input = FuzzInput.Of(isKept ? FrameCorpus.NextOpens(id, service, random) : Mutation.Next([FrameCorpus.Request], random), random);
        return (isKept && random.Next(2) == 0 ? input with { Opening = FrameCorpus.OneDial, OpeningEnd = FrameCorpus.Done } : input, isKept);
    }

    /// <summary>The whole answer to a registration, changed in its messages, its headers, its frames or anywhere.</summary>
    public byte[] NextAnswer(Random random)
    {
        var layer = random.Next(4);
        var head = layer == 1 ? Mutation.Next(Heads, random) : Heads[random.Next(layer == 2 ? 1 : Heads.Length)];
        List<byte[]> frames =
        [
            Frame(Headers, (byte)(EndHeaders | (random.Next(20) == 0 ? EndStream : 0)), 1, head),
            Frame(Data, 0, 1, Message(Registered($"{random.Next():x}").ToByteArray())),
        ];
        for (var count = random.Next(4); count > 0; count--)
        {
            var message = Message(NextMessage(random, mayEnd: layer == 0));
            frames.Add(Frame(Data, random.Next(8) == 0 ? EndStream : (byte)0, 1, message));
        }

        if (random.Next(2) == 0)
        {
            frames.Add(Frame(Headers, EndHeaders | EndStream, 1, HeaderBlock(("grpc-status", $"{random.Next(-1, 18)}"), ("grpc-message", "gone%0d%0a"))));
        }

        if (layer == 2)
        {
            ChangeFrames(frames, random);
        }

        byte[] bytes = [.. frames.SelectMany(frame => frame)];
        return layer == 3 ? NextHarmless(bytes, random) : bytes;
    }

    private ResponseStream Registered(string brokerId) =>
        new() { Registered = new Registered { StreamId = "s", BrokerId = brokerId, LegEndpoints = { $"{legs}" } } };

    /// <summary>Changed, but not in its addresses.</summary>
    private static byte[] NextHarmless(byte[] bytes, Random random)
    {
        while (true)
        {
            var changed = Mutation.Next([bytes], random);
            if (Addresses(changed) >= Addresses(bytes))
            {
                return changed;
            }
        }

        static int Addresses(byte[] bytes) => Encoding.Latin1.GetString(bytes).Split(Loopback).Length;
    }

    private byte[] NextMessage(Random random, bool mayEnd)
    {
        while (true)
        {
            var bytes = NextMessage(random).ToByteArray();
            bytes = random.Next(2) == 0 ? Mutation.Next([bytes], random) : bytes;
            var isRead = TryParse(bytes, out var message);
            if (isRead ? IsHarmless(message!) && (mayEnd || (bytes.Length <= MaxMessage && message!.Drain is null)) : mayEnd)
            {
                return bytes;
            }
        }
    }

    private static bool TryParse(byte[] bytes, out ResponseStream? message)
    {
        try
        {
            message = ResponseStream.Parser.ParseFrom(bytes);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            message = null;
            return false;
        }
    }

    private bool IsHarmless(ResponseStream message) =>
        (message.Members?.Members_.All(member => IsHarmless(member.Grpc)) ?? true)
        && (message.Registered?.LegEndpoints.All(IsHarmless) ?? true)
        && !(message.Connect is { } connect && HostPort.TryCreate(connect.Host, (int)connect.Port, out var leg) && IsElsewhere(leg));

    // The agent may connect to this host, where others listen.
    private bool IsElsewhere(HostPort leg) => leg.Host == Loopback && leg.Port != legs.Port;

    private bool IsHarmless(string text) =>
        !HostPort.TryParse(text, out var address)
        || address.Host.StartsWith(Nobody, StringComparison.Ordinal)
        || address == HostPort.Of(honest)
        || address == HostPort.Of(legs);

    private ResponseStream NextMessage(Random random) => random.Next(16) switch
    {
        < 7 => new() { Connect = NextConnect(random) },
        < 10 => new() { Members = NextMembers(random) },
        10 => new() { Ping = new Ping { Sequence = NextNumber(random), PingTimestamp = new() { Seconds = random.NextInt64(), Nanos = random.Next() } } },
        11 => new() { Pong = new Pong { Sequence = NextNumber(random) } },
        12 => new() { Cancel = new Cancel { ConnectionID = NextId(random), Reason = One(Texts, random) } },
        13 => new() { Registered = NextRegistered(random) },
        14 => new() { Drain = new Drain() },
        _ => new(),
    };

    private Connect NextConnect(Random random)
    {
        var connect = new Connect
        {
            ConnectionID = NextId(random),
            Host = random.Next(2) == 0 ? Loopback : One(Hosts, random),
            Port = random.Next(2) == 0 ? (uint)legs.Port : (uint)NextNumber(random),
            LocalPort = random.Next(2) == 0 ? (uint)service : (uint)NextNumber(random),
            Deadline = random.Next(2) == 0 ? 0 : (uint)NextNumber(random),
            DialerId = One(Texts, random),
            Keep = random.Next(2) == 0,
        };
        connect.Dialer.AddRange(Enumerable.Range(0, random.Next(4)).Select(_ => One(Texts, random)));
        return connect;
    }

    // Nobody listens at an address that is named here, but for the honest broker.
    private Members NextMembers(Random random)
    {
        var members = new Members { ClusterId = random.Next(2) == 0 ? "whip" : One(Texts, random) };
        var count = random.Next(random.Next(2) == 0 ? MostMembers : 3);
        members.Members_.AddRange(Enumerable.Range(0, count).Select(i => new Member
        {
            BrokerId = random.Next(4) == 0 ? One(Texts, random) : $"m{random.Next(i + 2)}",
            Grpc = random.Next(8) switch
            {
                0 => $"{honest}",
                1 => $"{One(Hosts, random)}:{random.Next(70_000)}",
                2 => One(Texts, random),
                _ => $"{Nobody}{random.Next(1, 255)}:{random.Next(1, 3)}",
            },
            Zone = One(Texts, random),
            Tcp = One(Hosts, random),
        }));
        return members;
    }

    // No two of them are one broker, which would have one home.
    private Registered NextRegistered(Random random)
    {
        var registered = new Registered { StreamId = One(Texts, random), BrokerId = $"{One(Texts, random)}{random.Next():x}" };
        var endpoints = Enumerable.Range(0, random.Next(3)).Select(_ => $"{One(Hosts, random)}:{random.Next(70_000)}");
        registered.LegEndpoints.AddRange([$"{legs}", .. endpoints]);
        return registered;
    }

    private static string NextId(Random random) => random.Next(3) switch
    {
        0 => One(Texts, random),
        1 => $"stray{random.Next(4)}",
        _ => $"stray{random.Next():x}",
    };

    private static ulong NextNumber(Random random) => random.Next(4) switch
    {
        0 => (ulong)random.Next(3),
        1 => (ulong)random.Next(65534, 65538),
        2 => ulong.MaxValue - (ulong)random.Next(3),
        _ => (ulong)random.NextInt64(),
    };

    private static string One(string[] all, Random random) => all[random.Next(all.Length)];
}
