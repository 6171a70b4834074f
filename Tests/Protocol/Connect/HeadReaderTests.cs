using System.Text;
using Whip.Protocol.Connect;
using Whip.Protocol.Names;

namespace Whip.Tests.Protocol.Connect;

public sealed class HeadReaderTests
{
    private const string Head = "CONNECT instance1.testdom:5051 HTTP/1.1\r\nHost: instance1.testdom:5051\r\n\r\n";

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task What_follows_a_head_stays_on_the_leg(bool tls, bool oneByteAtATime)
    {
        await using var pair = await LegPair.ConnectAsync(tls);
        var bytes = Encoding.ASCII.GetBytes(Head + "payload");
        var writing = WriteAsync(pair, bytes, oneByteAtATime ? 1 : bytes.Length);
        var parse = await ReadAsync(pair);
        Assert.Equal(new ConnectRequest(DialTarget.Of("instance1.testdom", 5051)), parse.Head);
        Assert.Equal("payload", Encoding.ASCII.GetString(await pair.Far.ReadToEndAsync()));
        await writing;
    }

    [Fact]
    public async Task A_head_of_exactly_the_limit_is_read_and_one_byte_more_is_refused()
    {
        var head = Encoding.ASCII.GetBytes(Head.Replace("\r\n\r\n", "\r\nX: " + new string('x', 100) + "\r\n\r\n", StringComparison.Ordinal));
        foreach (var limit in (int[])[head.Length, head.Length - 1])
        {
            await using var pair = await LegPair.ConnectAsync(tls: false);
            await pair.Near.WriteAsync(head);
            var parse = await ReadAsync(pair, limit);
            Assert.Equal(limit == head.Length, parse.Head is not null);
            Assert.Equal(limit == head.Length ? null : $"the head is longer than {limit} bytes", parse.Problem);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("CONNECT instance1.testdom:5051 HTTP/1.1\r\n")]
    public async Task A_peer_that_ends_early_sent_no_head(string sent)
    {
        await using var pair = await LegPair.ConnectAsync(tls: false);
        await WriteAsync(pair, Encoding.ASCII.GetBytes(sent), 1);
        Assert.True((await ReadAsync(pair)).IsIncomplete);
    }

    private static async Task WriteAsync(LegPair pair, byte[] bytes, int piece)
    {
        foreach (var chunk in bytes.Chunk(piece))
        {
            await pair.Near.WriteAsync(chunk).AsTask().WaitAsync(Patience.Long);
        }

        await pair.Near.CompleteWritesAsync();
    }

    private static Task<HeadParse<ConnectRequest>> ReadAsync(LegPair pair, int limit = HeadReader.DefaultLimit) =>
        HeadReader.ReadAsync<ConnectRequest>(pair.Far, ConnectRequest.Parse, limit).AsTask().WaitAsync(Patience.Long);
}
