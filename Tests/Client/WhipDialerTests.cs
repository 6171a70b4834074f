using System.Globalization;
using System.Text.RegularExpressions;
using Whip.Protocol.Dialing;

namespace Whip.Tests.Client;

public sealed class WhipDialerTests
{
    [Theory, PlainAndTls]
    public async Task A_dial_is_a_stream_with_a_real_half_close(bool tls)
    {
        await using var front = new FakeDialFront(tls, async connection =>
        {
            await connection.EstablishAsync();
            await connection.EchoAsync();
        });
        await using var stream = await Dialers.To(tls, front).DialAsync("instance1.testdom", 5051).WaitAsync(Patience.Long);
        await stream.WriteAsync("question"u8.ToArray());
        await stream.CompleteWritesAsync();
        using var reader = new StreamReader(stream);
        Assert.Equal("question", await reader.ReadToEndAsync().WaitAsync(Patience.Long));
    }

    [Theory, PlainAndTls]
    public async Task The_first_bytes_of_a_server_that_speaks_first_arrive_with_the_head(bool tls)
    {
        await using var front = FakeDialFront.Answering(tls, FakeDialConnection.Established + "SSH-2.0-test\r\n\r\nmore");
        await using var stream = await Dialers.To(tls, front).DialAsync("instance1.testdom", 22).WaitAsync(Patience.Long);
        using var reader = new StreamReader(stream);
        Assert.Equal("SSH-2.0-test\r\n\r\nmore", await reader.ReadToEndAsync().WaitAsync(Patience.Long));
    }

    [Theory, PlainAndTls]
    public async Task A_head_in_one_byte_pieces_is_read_whole(bool tls)
    {
        await using var front = new FakeDialFront(tls, async connection =>
        {
            await connection.ReadHeadAsync();
            connection.Socket.NoDelay = true;
            foreach (var c in FakeDialConnection.Established + "hello")
            {
                await connection.WriteAsync(c.ToString());
                await Task.Yield();
            }

            await connection.EndAsync();
        });
        await using var stream = await Dialers.To(tls, front).DialAsync("instance1.testdom", 22).WaitAsync(Patience.Long);
        using var reader = new StreamReader(stream);
        Assert.Equal("hello", await reader.ReadToEndAsync().WaitAsync(Patience.Long));
    }

    [Fact]
    public async Task The_request_has_the_name_the_wait_and_the_remaining_time()
    {
        var sent = new TaskCompletionSource<string>();
        await using var front = new FakeDialFront(false, async connection =>
        {
            sent.SetResult(await connection.ReadHeadAsync());
            await connection.WriteAsync(FakeDialConnection.Established);
        });
        var request = new DialRequest("Instance1.TestDom", 5051) { Deadline = TimeSpan.FromSeconds(50), Wait = TimeSpan.FromMilliseconds(1500) };
        await using var stream = await Dialers.To(false, front).DialAsync(request).WaitAsync(Patience.Long);
        var head = await sent.Task.WaitAsync(Patience.Long);
        Assert.StartsWith("CONNECT instance1.testdom:5051 HTTP/1.1\r\n", head);
        Assert.Contains("\r\nWhip-Wait: 2\r\n", head);
        var remaining = int.Parse(Regex.Match(head, "\r\nWhip-Deadline: ([0-9]+)\r\n").Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.InRange(remaining, 1, 51_500 - 250);
    }

    [Theory, PlainAndTls]
    public async Task Cancellation_resets_the_connection_so_that_the_broker_cancels(bool tls)
    {
        var asked = new TaskCompletionSource();
        var ended = new TaskCompletionSource<bool>();
        await using var front = FakeDialFront.Silent(tls, asked, ended);
        using var cancel = new CancellationTokenSource();
        var dial = Dialers.To(tls, front).TryDialAsync(new DialRequest("instance1.testdom", 5051), cancel.Token).AsTask();
        await asked.Task.WaitAsync(Patience.Long);
        await cancel.CancelAsync();
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial.WaitAsync(Patience.Long));
        Assert.Equal(cancel.Token, error.CancellationToken);
        Assert.False(await ended.Task.WaitAsync(Patience.Long));
    }

    [Theory, PlainAndTls]
    public async Task The_next_broker_is_tried_when_one_cannot_be_reached_and_is_remembered(bool tls)
    {
        var closed = new FakeDialFront(tls, _ => Task.CompletedTask);
        await closed.DisposeAsync();
        await using var silentlyEnding = new FakeDialFront(tls, connection => connection.ReadHeadAsync());
        await using var good = FakeDialFront.Good(tls);
        var dialer = Dialers.To(tls, closed, silentlyEnding, good);
        for (var i = 0; i < 3; i++)
        {
            await using var stream = await dialer.DialAsync("instance1.testdom", 5051).WaitAsync(Patience.Long);
        }

        Assert.Equal((1, 3), (silentlyEnding.Accepted, good.Accepted));
    }
}
