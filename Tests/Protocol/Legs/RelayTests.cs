using System.Net;
using System.Net.Sockets;
using Whip.Protocol.Legs;

namespace Whip.Tests.Protocol.Legs;

/// <summary>Each promise of the relay, plain and mTLS: a user at each end, and the relay between the two middle legs.</summary>
public sealed class RelayTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RelayBuffers _buffers;
    private readonly CancellationTokenSource _cut = new();
    private long _passedToA;

    public RelayTests() => _buffers = new RelayBuffers(_time);

    [Theory, PlainAndTls]
    public async Task Bytes_pass_both_ways_unchanged(bool tls)
    {
        await using var ends = await StartAsync(tls);
        var up = RandomBytes(3_000_000, 1);
        var down = RandomBytes(2_000_000, 2);

        var sending = Task.WhenAll(SendAllAsync(ends.A, up), SendAllAsync(ends.B, down));
        var atB = ends.B.ReadToEndAsync();
        var atA = ends.A.ReadToEndAsync();
        Assert.Equal(up, await atB);
        Assert.Equal(down, await atA);
        await sending.WaitAsync(Patience.Long);

        var result = await ends.Relay.WaitAsync(Patience.Long);
        Assert.Equal((RelayEnd.Clean, 3_000_000L, 2_000_000L), (result.End, result.BytesAToB, result.BytesBToA));
        Assert.Equal(0, _buffers.Outstanding);
    }

    [Theory, PlainAndTls]
    public async Task End_of_stream_on_one_side_becomes_exactly_that_on_the_other(bool tls)
    {
        await using var ends = await StartAsync(tls);
        await ends.A.WriteAsync("question"u8.ToArray());
        await ends.A.CompleteWritesAsync();
        Assert.Equal("question"u8.ToArray(), await ends.B.ReadToEndAsync());

        // The other direction is still whole.
        Assert.False(ends.Relay.IsCompleted);
        await ends.B.WriteAsync("answer"u8.ToArray());
        Assert.Equal("answer"u8.ToArray(), await ends.A.ReadExactlyAsync(6));
        await ends.B.CompleteWritesAsync();
        Assert.Empty(await ends.A.ReadToEndAsync());
        Assert.Equal(RelayEnd.Clean, (await ends.Relay.WaitAsync(Patience.Long)).End);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public async Task A_reset_becomes_a_reset_and_never_a_clean_end(bool tls, bool atA)
    {
        await using var ends = await StartAsync(tls);
        await ends.A.WriteAsync(new byte[10]);
        await ends.B.ReadExactlyAsync(10);

        (atA ? ends.A : ends.B).Abort();
        await Assert.ThrowsAnyAsync<IOException>(() => (atA ? ends.B : ends.A).ReadToEndAsync());
        Assert.Equal(atA ? RelayEnd.AReset : RelayEnd.BReset, (await ends.Relay.WaitAsync(Patience.Long)).End);
    }

    [Theory, PlainAndTls]
    public async Task A_cut_becomes_a_reset_of_both_sides(bool tls)
    {
        await using var ends = await StartAsync(tls);
        await _cut.CancelAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => ends.A.ReadToEndAsync());
        await Assert.ThrowsAnyAsync<IOException>(() => ends.B.ReadToEndAsync());
        Assert.Equal(RelayEnd.Cut, (await ends.Relay.WaitAsync(Patience.Long)).End);
    }

    [Fact]
    public async Task A_TLS_end_without_close_notify_becomes_a_reset()
    {
        await using var truncated = await TruncatedTls.ConnectAsync();
        await using var b = await LegPair.ConnectAsync(tls: true);
        var relay = Relay.RunAsync(truncated.Accepted, b.Near, Context(), _cut.Token);
        await truncated.WriteAsync("half a message"u8.ToArray());
        await b.Far.ReadExactlyAsync(14);

        truncated.SendFinWithoutCloseNotify();
        await Assert.ThrowsAnyAsync<IOException>(() => b.Far.ReadToEndAsync());
        Assert.Equal(RelayEnd.AReset, (await relay.WaitAsync(Patience.Long)).End);
    }

    [Theory, PlainAndTls]
    public async Task An_idle_relay_holds_no_buffer(bool tls)
    {
        await using var ends = await StartAsync(tls);
        await ends.A.WriteAsync(new byte[100_000]);
        await ends.B.ReadExactlyAsync(100_000);
        await Patience.UntilAsync(() => _buffers.Outstanding == 0, "the buffer to return after the burst");
        Assert.False(ends.Relay.IsCompleted);
    }

    [Theory, PlainAndTls]
    public async Task A_direction_rents_one_buffer_at_most(bool tls)
    {
        await using var ends = await StartAsync(tls);

        // Nobody reads at either end: both directions stop in a write.
        var stuck = Task.WhenAll(SendForeverAsync(ends.A), SendForeverAsync(ends.B));
        await Patience.UntilAsync(() => _buffers.Outstanding == 2, "both directions to be held up");
        Assert.InRange(_buffers.Outstanding, 1, 2);
        await _cut.CancelAsync();
        await ends.Relay.WaitAsync(Patience.Long);
        Assert.Equal(0, _buffers.Outstanding);
        await stuck.WaitAsync(Patience.Long);
    }

    [Theory, PlainAndTls]
    public async Task A_half_closed_relay_without_a_byte_for_an_hour_is_reset(bool tls)
    {
        await using var ends = await StartAsync(tls);
        await ends.A.CompleteWritesAsync();
        Assert.Empty(await ends.B.ReadToEndAsync());

        // A byte at fifty minutes begins the hour again.
        await PassAsync(ends, total: 1);
        await AdvanceAsync(TimeSpan.FromMinutes(50), ends);
        await PassAsync(ends, total: 2);
        await AdvanceAsync(TimeSpan.FromMinutes(50), ends);
        Assert.False(ends.Relay.IsCompleted);

        await Patience.UntilAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMinutes(61));
                return ends.Relay.IsCompleted;
            },
            "the half-open timeout");
        Assert.Equal(RelayEnd.HalfOpenTimeout, (await ends.Relay).End);
        await Assert.ThrowsAnyAsync<IOException>(() => ends.A.ReadToEndAsync());
    }

    [Fact]
    public async Task A_relay_that_is_open_both_ways_may_be_idle_for_ever()
    {
        await using var ends = await StartAsync(tls: false);
        _time.Advance(TimeSpan.FromDays(30));
        await ends.A.WriteAsync(new byte[1]);
        await ends.B.ReadExactlyAsync(1);
        Assert.False(ends.Relay.IsCompleted);
    }

    [Fact]
    public async Task A_leg_of_another_machine_has_keepalive_and_no_user_timeout()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener.LocalEndpoint);
        await using var leg = new Whip.Protocol.Legs.Leg(socket);
        Assert.True(socket.NoDelay);
        Assert.Equal(0, socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        LegSocketOptions.Apply(socket, new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1));
        Assert.Equal(1, socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        Assert.Equal(30, socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime));
        Assert.Equal(10, socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval));
        Assert.Equal(3, socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount));
        var userTimeout = new byte[4];
        socket.GetRawSocketOption(6, 18, userTimeout);
        Assert.Equal(0, BitConverter.ToInt32(userTimeout));
    }

    private static byte[] RandomBytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static async Task SendAllAsync(Whip.Protocol.Legs.Leg leg, byte[] bytes)
    {
        await leg.WriteAsync(bytes);
        await leg.CompleteWritesAsync();
    }

    private static async Task SendForeverAsync(Whip.Protocol.Legs.Leg leg)
    {
        var chunk = new byte[64 * 1024];
        try
        {
            while (true)
            {
                await leg.WriteAsync(chunk);
            }
        }
        catch (IOException)
        {
            // The cut.
        }
    }

    // The relay takes up the new time after its timer fired; a byte that arrived before moves its deadline.
    private async Task AdvanceAsync(TimeSpan by, Ends ends)
    {
        _time.Advance(by);
        await Task.Yield();
        Assert.False(ends.Relay.IsCompleted);
    }

    /// <summary>Returns when the relay knows of it: the reader may be faster.</summary>
    private async Task PassAsync(Ends ends, long total)
    {
        await ends.B.WriteAsync(new byte[1]);
        await ends.A.ReadExactlyAsync(1);
        await Patience.UntilAsync(() => Interlocked.Read(ref _passedToA) == total, "the byte in the relay's account");
    }

    private RelayContext Context() => new(_buffers, _time, TimeSpan.FromHours(1), BToA: bytes => Interlocked.Add(ref _passedToA, bytes));

    private async Task<Ends> StartAsync(bool tls)
    {
        var a = await LegPair.ConnectAsync(tls);
        var b = await LegPair.ConnectAsync(tls);
        return new Ends(a, b, Relay.RunAsync(a.Far, b.Near, Context(), _cut.Token));
    }

    private sealed class Ends(LegPair a, LegPair b, Task<RelayResult> relay) : IAsyncDisposable
    {
        public Whip.Protocol.Legs.Leg A => a.Near;

        public Whip.Protocol.Legs.Leg B => b.Far;

        public Task<RelayResult> Relay => relay;

        public async ValueTask DisposeAsync()
        {
            await a.DisposeAsync();
            await b.DisposeAsync();
        }
    }
}
