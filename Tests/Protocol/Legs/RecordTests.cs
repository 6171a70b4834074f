using System.Buffers.Binary;
using Whip.Protocol.Legs;

namespace Whip.Tests.Protocol.Legs;

/// <summary>What a leg under TLS does with records, and with parts of them.</summary>
public sealed class RecordTests
{
    private const int Kib = 1024;
    private const int HeaderLength = 5;

    private readonly byte[] _bytes = new byte[100 * Kib];

    public RecordTests() => new Random(1).NextBytes(_bytes);

    [Fact]
    public async Task One_read_returns_all_records_that_have_arrived()
    {
        await using var pair = await LegPair.ConnectAsync(tls: true);
        pair.Far.ReadAhead = 128 * Kib;
        await pair.Near.WriteAsync(_bytes);
        await Patience.UntilAsync(() => pair.Near.Progress is { IsOutstanding: false }, "everything to arrive");
        var read = new byte[128 * Kib];
        Assert.Equal(_bytes.Length, await pair.Far.ReadAsync(read));
        Assert.Equal(_bytes, read[.._bytes.Length]);
        Assert.Equal(0, pair.Far.HeldBytes);
    }

    [Fact]
    public async Task A_read_never_waits_for_a_second_record()
    {
        await using var pair = await LegPair.ConnectAsync(tls: true);
        pair.Far.ReadAhead = 128 * Kib;
        var records = new byte[128 * Kib];
        var length = await pair.Near.EncryptAsync(_bytes, records);
        var second = length / 2;
        await pair.Near.SendAsync(records.AsMemory(0, second));
        await Patience.UntilAsync(() => pair.Near.Progress is { IsOutstanding: false }, "the first half to arrive");
        var read = new byte[128 * Kib];
        var first = await pair.Far.ReadAsync(read).AsTask().WaitAsync(Patience.Long);
        Assert.Equal(0, first % (16 * Kib));
        Assert.InRange(first, 16 * Kib, second);
        Assert.InRange(pair.Far.HeldBytes, 1, 128 * Kib);

        // What waits holds what has arrived of a record, and no more.
        var rest = pair.Far.ReadAsync(read.AsMemory(first)).AsTask();
        Assert.InRange(pair.Far.HeldBytes, 1, 32 * Kib);
        await pair.Near.SendAsync(records.AsMemory(second, length - second));
        first += await rest.WaitAsync(Patience.Long);
        while (first < _bytes.Length)
        {
            first += await pair.Far.ReadAsync(read.AsMemory(first)).AsTask().WaitAsync(Patience.Long);
        }

        Assert.Equal(_bytes, read[.._bytes.Length]);
        Assert.Equal(0, pair.Far.HeldBytes);
    }

    [Fact]
    public async Task A_relay_that_waits_in_the_middle_of_a_record_rents_nothing()
    {
        var buffers = new RelayBuffers(TimeProvider.System);
        using var cut = new CancellationTokenSource();
        await using var from = await LegPair.ConnectAsync(tls: true);
        await using var to = await LegPair.ConnectAsync(tls: true);
        var relay = Relay.RunAsync(from.Far, to.Near, new RelayContext(buffers, TimeProvider.System, TimeSpan.FromHours(1)), cut.Token);
        var records = new byte[32 * Kib];
        var length = await from.Near.EncryptAsync(_bytes.AsMemory(0, 16 * Kib), records);
        await from.Near.SendAsync(records.AsMemory(0, 8 * Kib));
        await Patience.UntilAsync(() => from.Far.HeldBytes > 0, "the relay to read the half");
        Assert.InRange(from.Far.HeldBytes, 1, 19 * Kib);
        Assert.Equal(0, buffers.Outstanding);
        await from.Near.SendAsync(records.AsMemory(8 * Kib, length - (8 * Kib)));
        Assert.Equal(_bytes.AsMemory(0, 16 * Kib).ToArray(), await to.Far.ReadExactlyAsync(16 * Kib));
        await cut.CancelAsync();
        await relay.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task A_relay_of_a_client_to_which_nothing_was_sent_after_its_handshake_rents_nothing()
    {
        var buffers = new RelayBuffers(TimeProvider.System);
        using var cut = new CancellationTokenSource();
        await using var from = await LegPair.ConnectAsync(tls: true);
        await using var to = await LegPair.ConnectAsync(tls: true);
        var relay = Relay.RunAsync(from.Near, to.Near, new RelayContext(buffers, TimeProvider.System, TimeSpan.FromHours(1)), cut.Token);

        // The other direction has carried something: by then this one has seen what a server sends of its own.
        await to.Far.WriteAsync(new byte[1]);
        await from.Far.ReadExactlyAsync(1);
        await Patience.UntilAsync(() => buffers.Outstanding == 0, "nothing to be rented");
        await from.Far.WriteAsync(_bytes);
        Assert.Equal(_bytes, await to.Far.ReadExactlyAsync(_bytes.Length));
        await cut.CancelAsync();
        await relay.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task A_leg_that_is_disposed_before_all_of_its_records_are_sent_is_reset()
    {
        await using var pair = await LegPair.ConnectAsync(tls: true);
        var records = new byte[128 * Kib];
        await pair.Near.EncryptAsync(_bytes, records);

        // Whole ones, so that nothing but the reset tells.
        await pair.Near.SendAsync(records.AsMemory(0, HeaderLength + BinaryPrimitives.ReadUInt16BigEndian(records.AsSpan(3))));
        await pair.Near.DisposeAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => pair.Far.ReadToEndAsync());
    }
}
