using System.Net;
using Whip.Harness.Checking;
using Whip.Protocol.Legs;

namespace Whip.Tests.Bench.Cluster;

/// <summary>Both ends of an echo say the same of how it ended.</summary>
public sealed class CheckedRelayTests
{
    private static readonly CheckedRelay Brief = new(5, 1000, TimeSpan.Zero);

    [Fact]
    public async Task A_whole_relay_is_whole_at_both_ends()
    {
        await using var service = new CheckingService();
        var end = await Brief.RunAsync(await ConnectAsync(service), Pattern.Period - 10, CancellationToken.None).WaitAsync(Patience.Long);
        Assert.Equal(EchoEnd.Whole, end);
        await Patience.UntilAsync(() => service.Echoes[EchoEnd.Whole] == 1, "that the service saw it");
    }

    [Fact]
    public async Task A_relay_stopped_by_the_dialer_is_a_reset_at_the_service()
    {
        await using var service = new CheckingService();
        using var stop = new CancellationTokenSource();
        var running = new CheckedRelay(int.MaxValue, 1000, TimeSpan.Zero).RunAsync(await ConnectAsync(service), 0, stop.Token);
        await stop.CancelAsync();
        Assert.Equal(EchoEnd.Stopped, await running.WaitAsync(Patience.Long));
        await using var other = await ConnectAsync(service);
        byte[] request = [CheckingService.Echo, .. BitConverter.GetBytes(0L), .. BitConverter.GetBytes(10L)];
        await other.WriteAsync(request);
        await other.CompleteWritesAsync();
        await Patience.UntilAsync(() => service.Echoes[EchoEnd.EarlyEnd] == 1, "that the service saw too little");
    }

    [Fact]
    public async Task A_clean_end_too_early_and_a_wrong_byte_are_seen_by_the_dialer()
    {
        Assert.Equal(EchoEnd.EarlyEnd, await AgainstAsync([]));
        Assert.Equal(EchoEnd.Wrong, await AgainstAsync(new byte[1000]));
    }

    private static async Task<EchoEnd> AgainstAsync(byte[] answer)
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var accepting = listener.AcceptSocketAsync();
        var running = Brief.RunAsync(await Leg.ConnectAsync((IPEndPoint)listener.LocalEndpoint, CancellationToken.None), 0, CancellationToken.None);
        await using var other = new Leg(await accepting.WaitAsync(Patience.Long));
        await other.ReadExactlyAsync(new byte[17 + 1000]).AsTask().WaitAsync(Patience.Long);
        await other.WriteAsync(answer);
        await other.CompleteWritesAsync();
        return await running.WaitAsync(Patience.Long);
    }

    private static Task<Leg> ConnectAsync(CheckingService service) => Leg.ConnectAsync(new IPEndPoint(IPAddress.Loopback, service.Port), CancellationToken.None);
}
