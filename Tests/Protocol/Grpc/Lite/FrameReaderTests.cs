using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Protocol.Grpc;

public sealed class FrameReaderTests
{
    private static readonly RequestStream Small = new() { Pong = new Pong { Sequence = 9 } };
    private static readonly RequestStream Large = new() { Register = new Register { Hostname = new string('h', 40_000) } };

    [Fact]
    public async Task Messages_in_one_byte_pieces_arrive_one_by_one()
    {
        var pipe = new Pipe();
        var reader = Reader(pipe.Reader);
        foreach (var message in new[] { Small, new RequestStream(), Small })
        {
            var read = reader.ReadAsync(CancellationToken.None).AsTask();
            foreach (var value in GrpcWire.Frame(message))
            {
                Assert.False(read.IsCompleted);
                await pipe.Writer.WriteAsync(new[] { value });
            }

            Assert.Equal(message, await read.WaitAsync(Patience.Long));
        }

        await pipe.Writer.CompleteAsync();
        Assert.Null(await reader.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience.Long));
    }

    [Fact]
    public async Task Messages_that_arrive_together_are_told_apart()
    {
        var reader = Reader(PipeReader.Create(new ReadOnlySequence<byte>([.. GrpcWire.Frame(Large), .. GrpcWire.Frame(Small)])));
        Assert.Equal(Large, await reader.ReadAsync(CancellationToken.None));
        Assert.Equal(Small, await reader.ReadAsync(CancellationToken.None));
        Assert.Null(await reader.ReadAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(100)]
    public async Task A_stream_that_ends_inside_a_message_is_malformed(int length)
    {
        var bytes = GrpcWire.Frame(Large).AsMemory(0, length);
        Assert.Equal(GrpcStatusCode.InvalidArgument, await FailureAsync(PipeReader.Create(new ReadOnlySequence<byte>(bytes))));
    }

    [Theory]
    [InlineData(new byte[] { 0, 0x00, 0x01, 0x00, 0x01 }, 8)]
    [InlineData(new byte[] { 0, 0xFF, 0xFF, 0xFF, 0xFF }, 8)]
    [InlineData(new byte[] { 1 }, 13)]
    [InlineData(new byte[] { 2 }, 13)]
    public async Task A_bad_prefix_is_refused_before_its_message_comes(byte[] prefix, int expected)
    {
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync(prefix);
        Assert.Equal((GrpcStatusCode)expected, await FailureAsync(pipe.Reader));
    }

    [Fact]
    public async Task The_limit_itself_is_allowed()
    {
        var message = new RequestStream { Register = new Register { Hostname = new string('h', 65_528) } };
        Assert.Equal(GrpcWire.MaxMessageSize, message.CalculateSize());
        var reader = Reader(PipeReader.Create(new ReadOnlySequence<byte>(GrpcWire.Frame(message))));
        Assert.Equal(message, await reader.ReadAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Bytes_that_are_no_protobuf_are_malformed()
    {
        byte[] bytes = [0, 0, 0, 0, 2, 0x0A, 0x7F];
        Assert.Equal(GrpcStatusCode.InvalidArgument, await FailureAsync(PipeReader.Create(new ReadOnlySequence<byte>(bytes))));
    }

    [Fact]
    public async Task Fields_and_cases_of_a_later_version_are_skipped()
    {
        byte[] payload = [.. new RequestStream { Register = new Register { Hostname = "h" } }.ToByteArray(), 0xFA, 0x3E, 1, 7];
        byte[] frame = [0, 0, 0, 0, (byte)payload.Length, .. payload];
        var message = await Reader(PipeReader.Create(new ReadOnlySequence<byte>(frame))).ReadAsync(CancellationToken.None);
        Assert.Equal("h", message!.Register.Hostname);
    }

    private static FrameReader<RequestStream> Reader(PipeReader pipe) =>
        new(pipe, RequestStream.Parser, GrpcWire.MaxMessageSize, GrpcStatusCode.InvalidArgument);

    private static async Task<GrpcStatusCode> FailureAsync(PipeReader pipe) =>
        (await Assert.ThrowsAsync<GrpcStatusException>(() => Reader(pipe).ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience.Long))).Status.Code;
}
