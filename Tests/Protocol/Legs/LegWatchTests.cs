using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;
using Whip.Tests.Client;

namespace Whip.Tests.Protocol.Legs;

/// <summary>A machine that vanished is noticed although something is outstanding, and a reader that has stopped is not taken for one.</summary>
public sealed class LegWatchTests
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly LegWatch _watch;

    public LegWatchTests() => _watch = new LegWatch(_time);

    [Theory, PlainAndTls]
    public async Task A_machine_that_vanished_with_a_byte_unacknowledged_is_noticed_within_90_seconds(bool tls)
    {
        await using var pair = await LegPair.ConnectAsync(tls, _watch);
        await pair.Far.VanishAsync();
        await pair.Near.WriteAsync(new byte[1]);
        await AssertNoticedAsync(pair.Near.ReadAsync(new byte[1]).AsTask());
    }

    [Theory, PlainAndTls]
    public async Task A_machine_that_vanished_during_a_transfer_is_noticed_within_90_seconds(bool tls)
    {
        await using var pair = await LegPair.ConnectAsync(tls, _watch);
        var sending = SendForeverAsync(pair.Near);
        await pair.Far.ReadExactlyAsync(1_000_000);
        await pair.Far.VanishAsync();
        await AssertNoticedAsync(sending);
    }

    [Theory, PlainAndTls]
    public async Task A_machine_that_vanished_after_the_end_of_the_stream_was_sent_is_noticed(bool tls)
    {
        await using var pair = await LegPair.ConnectAsync(tls, _watch);
        await pair.Far.VanishAsync();
        await pair.Near.CompleteWritesAsync();
        await AssertNoticedAsync(pair.Near.ReadAsync(new byte[1]).AsTask());
    }

    [Theory, PlainAndTls]
    public async Task A_reader_that_has_stopped_is_waited_for(bool tls)
    {
        await using var pair = await LegPair.ConnectAsync(tls, _watch);
        var bytes = new byte[20_000_000];
        new Random(1).NextBytes(bytes);
        var sending = pair.Near.WriteAsync(bytes).AsTask();
        await UntilWindowClosesAsync(pair.Near);
        await LookOftenAsync();
        Assert.False(sending.IsCompleted);
        Assert.Equal(bytes, await pair.Far.ReadExactlyAsync(bytes.Length));
        await sending.WaitAsync(Patience.Long);
        await _time.AdvanceUntilAsync(() => _watch.Count == 0, "everything to be acknowledged", step: Look);
    }

    [Fact]
    public async Task A_process_that_is_stopped_is_waited_for()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var reader = Process.Start(new ProcessStartInfo("bash", ["-c", $"exec 3<>/dev/tcp/127.0.0.1/{port}; kill -STOP $$; exec wc -c <&3"])
        {
            RedirectStandardOutput = true,
        })!;
        await using var leg = new Leg(await listener.AcceptSocketAsync().WaitAsync(Patience.Long), _time, _watch);
        var sending = leg.WriteAsync(new byte[20_000_000]).AsTask();
        await UntilWindowClosesAsync(leg);
        await LookOftenAsync();
        using (var resume = Process.Start("kill", ["-CONT", $"{reader.Id}"]))
        {
            await resume.WaitForExitAsync().WaitAsync(Patience.Long);
        }

        await sending.WaitAsync(Patience.Long);
        await leg.CompleteWritesAsync();
        Assert.Equal("20000000", (await reader.StandardOutput.ReadToEndAsync().WaitAsync(Patience.Long)).Trim());
    }

    [Theory, PlainAndTls]
    public async Task A_stopped_reader_whose_machine_vanishes_is_noticed_when_its_window_is_probed(bool tls)
    {
        await using var pair = await LegPair.ConnectAsync(tls, _watch);
        var sending = SendForeverAsync(pair.Near);
        await UntilWindowClosesAsync(pair.Near);
        await pair.Far.VanishAsync();
        await Patience.UntilAsync(() => pair.Near.Progress is { IsUnanswered: true }, "two probes");
        await AssertNoticedAsync(sending);
    }

    [Fact]
    public async Task A_leg_without_anything_outstanding_is_not_looked_at()
    {
        await using var pair = await LegPair.ConnectAsync(tls: false, _watch);
        await pair.Near.WriteAsync(new byte[1]);
        Assert.Equal(1, _watch.Count);
        await pair.Far.ReadExactlyAsync(1);
        await _time.AdvanceUntilAsync(() => _watch.Count == 0, "the acknowledgement", step: Look);
        await pair.Near.WriteAsync(new byte[1]);
        Assert.Equal(1, _watch.Count);
        pair.Near.Abort();
        Assert.Equal(0, _watch.Count);
    }

    [Theory, PlainAndTls]
    public async Task A_dialers_stream_ends_when_the_broker_vanishes(bool tls)
    {
        var (vanished, over) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var front = new FakeDialFront(tls, async connection =>
        {
            await connection.EstablishAsync();
            await connection.Socket.VanishAsync();
            vanished.SetResult();
            await over.Task;
        });
        await using var stream = await Dialers.To(tls, _time, front).DialAsync("a.testdom", 81).WaitAsync(Patience.Long);
        await vanished.Task.WaitAsync(Patience.Long);
        await stream.WriteAsync(new byte[1]);
        await AssertNoticedAsync(stream.ReadAsync(new byte[1]).AsTask());
        over.SetResult();
    }

    private static async Task SendForeverAsync(Leg leg)
    {
        var chunk = new byte[64 * 1024];
        while (true)
        {
            await leg.WriteAsync(chunk);
        }
    }

    private static Task UntilWindowClosesAsync(Leg leg) =>
        Patience.UntilAsync(() => leg.Progress is { Unacknowledged: 0, NotSent: > 0 }, "a closed window");

    /// <summary>Several times the limit.</summary>
    private Task LookOftenAsync()
    {
        var since = _time.GetUtcNow();
        return _time.AdvanceUntilAsync(() => _time.GetUtcNow() - since > TimeSpan.FromMinutes(10), "ten minutes", step: Look);
    }

    private async Task AssertNoticedAsync(Task broken)
    {
        var since = _time.GetUtcNow();
        await _time.AdvanceUntilAsync(() => broken.IsCompleted, "the end of the leg", step: TimeSpan.FromSeconds(1), atMost: TimeSpan.FromSeconds(90));
        var error = await Assert.ThrowsAsync<IOException>(() => broken.WaitAsync(Patience.Long));
        Assert.Contains("has acknowledged nothing for ", error.Message, StringComparison.Ordinal);
        Assert.InRange(_time.GetUtcNow() - since, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(90));
    }
}
