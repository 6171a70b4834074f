using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.IO.Pipelines;
using Google.Protobuf;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Xunit;
using Xunit.Abstractions;

namespace Whip.Tests.Protocol.Grpc;

/// <summary>Generated streams in generated pieces, against a reading that is done in one go. WHIP_FUZZ_SEED chooses other streams.</summary>
public sealed class FrameReaderFuzzTests(ITestOutputHelper output)
{
    private const int Inputs = 100_000;
    private const int Limit = 64;

    [Fact]
    public async Task Every_input_ends_as_a_reading_in_one_go_says()
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("WHIP_FUZZ_SEED") ?? "20261123", CultureInfo.InvariantCulture);
        output.WriteLine($"WHIP_FUZZ_SEED={seed}");
        var random = new Random(seed);
        var ends = new Dictionary<string, int>();
        for (var i = 0; i < Inputs; i++)
        {
            var bytes = Generate(random);
            var (messages, end) = ReadInOneGo(bytes);
            var reader = new FrameReader<RequestStream>(Pieces(random, bytes), RequestStream.Parser, Limit, GrpcStatusCode.InvalidArgument);
            foreach (var message in messages)
            {
                Assert.Equal(message, await reader.ReadAsync(CancellationToken.None));
            }

            Assert.Equal(end, await EndAsync(reader));
            ends[end] = ends.GetValueOrDefault(end) + 1;
        }

        output.WriteLine(string.Join(", ", ends));
        Assert.Equal(4, ends.Count);
    }

    private static byte[] Generate(Random random)
    {
        var bytes = new List<byte>();
        for (var n = random.Next(4); n > 0; n--)
        {
            bytes.AddRange(GrpcWire.Frame(new RequestStream { ConnectFailed = new ConnectFailed { ConnectionID = new string('i', random.Next(70)) } }));
        }

        if (bytes.Count > 0 && random.Next(2) == 0)
        {
            bytes[random.Next(bytes.Count)] = (byte)random.Next(256);
        }

        return [.. bytes.Take(random.Next(3) == 0 ? random.Next(bytes.Count + 1) : bytes.Count)];
    }

    private static (List<RequestStream> Messages, string End) ReadInOneGo(byte[] bytes)
    {
        var messages = new List<RequestStream>();
        for (var rest = bytes.AsSpan(); rest.Length > 0;)
        {
            if (rest[0] != 0)
            {
                return (messages, nameof(GrpcStatusCode.Internal));
            }

            var size = rest.Length < 5 ? 0 : BinaryPrimitives.ReadUInt32BigEndian(rest[1..]);
            if (size > Limit)
            {
                return (messages, nameof(GrpcStatusCode.ResourceExhausted));
            }

            if (rest.Length < 5 + size || !TryParse(rest.Slice(5, (int)size), out var message))
            {
                return (messages, nameof(GrpcStatusCode.InvalidArgument));
            }

            messages.Add(message);
            rest = rest[(5 + (int)size)..];
        }

        return (messages, "end");
    }

    private static bool TryParse(ReadOnlySpan<byte> bytes, out RequestStream message)
    {
        message = new RequestStream();
        try
        {
            message.MergeFrom(bytes);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    private static async Task<string> EndAsync(FrameReader<RequestStream> reader)
    {
        try
        {
            Assert.Null(await reader.ReadAsync(CancellationToken.None));
            return "end";
        }
        catch (GrpcStatusException exception)
        {
            return exception.Status.Code.ToString();
        }
    }

    private static PipeReader Pieces(Random random, byte[] bytes)
    {
        Piece? first = null;
        Piece? last = null;
        for (var at = 0; at < bytes.Length || first is null;)
        {
            var length = Math.Min(bytes.Length - at, random.Next(1, 12));
            last = new Piece(bytes.AsMemory(at, length), last);
            first ??= last;
            at += length;
        }

        return PipeReader.Create(new ReadOnlySequence<byte>(first, 0, last!, last!.Memory.Length));
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, Piece? before)
        {
            Memory = memory;
            RunningIndex = before is null ? 0 : before.RunningIndex + before.Memory.Length;
            if (before is not null)
            {
                before.Next = this;
            }
        }
    }
}
