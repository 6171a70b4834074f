using System.Net.Sockets;
using System.Text;
using Whip.Hosting;

namespace Whip.Tests.Broker.Listening;

/// <summary>Clients that take a place and say nothing: they cost each other, and nobody else.</summary>
public sealed class FloodTests
{
    private const int Beyond = 100;

    private static readonly int Limit = new WhipLimits().UnauthenticatedConnections;

    [Theory, PlainAndTls]
    public async Task Silent_connections_beyond_the_limit_end_the_oldest_and_dials_go_on(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls, options => options.Limits.HandshakeTimeout = Patience.Long);
        await using var agent = await broker.RegisterAsync();
        using var over = new CancellationTokenSource();
        var dialing = DialAsync(broker, agent, () => over.IsCancellationRequested);
        var floods = await Task.WhenAll(new[] { "grpc", "rendezvous", "dial" }.Select(listener => FloodAsync(broker, listener)));
        Assert.InRange(broker.Parts.ControlGate.Count, 0, Limit);
        Assert.InRange(broker.Parts.Rendezvous.Gate.Count, 0, Limit);
        Assert.InRange(broker.Parts.DialListener!.Gate.Count, 0, Limit);
        foreach (var flood in floods)
        {
            await Patience.UntilAsync(() => flood.Count(HasEnded) >= Beyond, "the eviction of those beyond the limit");
        }

        await using (await broker.RegisterAsync("late.testdom"))
        {
            var scrape = await broker.ScrapeAsync();
            foreach (var listener in new[] { "grpc", "rendezvous", "dial" })
            {
                Assert.Matches($"whip_broker_rejected_connections_total\\{{listener=\"{listener}\",reason=\"evicted\"\\}} 1\\d\\d\n", scrape);
            }

            await over.CancelAsync();
            Assert.InRange(await dialing, 1, int.MaxValue);
        }

        Array.ForEach(floods, flood => flood.ForEach(socket => socket.Dispose()));
        await broker.AssertNothingLeftAsync();
        Assert.Contains("whip_server_active_connections{domain=\"testdom\",port=\"5051\"} 0\n", await broker.ScrapeAsync());
    }

    [Theory]
    [InlineData("grpc")]
    [InlineData("rendezvous")]
    [InlineData("dial")]
    public async Task Of_many_refused_connections_a_few_are_logged(string listener)
    {
        const int Refused = 3000;
        var time = new FakeTimeProvider();
        await using var broker = await TestBroker.StartAsync(tls: false, time: time);
        await Parallel.ForAsync(0, Refused, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (_, stop) =>
        {
            using var socket = await Listeners.ConnectAsync(broker, listener);
            await socket.SendAsync("\u0016no record"u8.ToArray(), stop);
            await UntilEndedAsync(socket).WaitAsync(Patience.Long, stop);
        });

        await broker.AssertNothingLeftAsync();
        Assert.Equal(10, broker.Logs.Records.Count(record => record.Message.Contains("refused", StringComparison.Ordinal)));
        time.Advance(TimeSpan.FromMinutes(1));
        await broker.Logs.WaitForAsync(
            record => record.Message == $"{listener} listener refused {Refused - 10} more connections in a minute", "the line about the others");
        Assert.Contains($"whip_broker_rejected_connections_total{{listener=\"{listener}\",reason=\"refused\"}} {Refused}\n", await broker.ScrapeAsync());
    }

    [Theory, PlainAndTls]
    public async Task A_CONNECT_head_that_never_ends_is_cut_at_8_KiB(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var dialer = await broker.ConnectAsync();
        var from = dialer.LocalEndPoint;
        var head = new StringBuilder("CONNECT instance1.testdom:5051 HTTP/1.1\r\n");
        while (head.Length <= new WhipLimits().ConnectHeadSize)
        {
            head.Append("X-Padding: 0123456789\r\n");
        }

        await dialer.WriteAsync(Encoding.ASCII.GetBytes(head.ToString()));
        var answer = Encoding.ASCII.GetString(await dialer.ReadToEndAsync());
        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.EndsWith("the head is longer than 8192 bytes\n", answer);
        await dialer.DisposeAsync();
        Assert.EndsWith("the head is longer than 8192 bytes", await Listeners.RefusalAsync(broker, from));
    }

    [Theory, PlainAndTls]
    public async Task A_CONNECT_head_that_trickles_costs_5_seconds_at_most(bool tls)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls, options => options.Limits.DialFrontIdleTimeout = TimeSpan.FromDays(1), time: time);
        await using var dialer = await broker.ConnectAsync();

        // Past its handshake nothing but the trickling head can take too long.
        await Patience.UntilAsync(() => !tls || broker.Parts.DialListener is { ConnectionCount: 1, Gate.Count: 0 }, "the end of the handshake");
        await dialer.WriteAsync("CONNECT instance1.testdom:5051 HTTP/1.1\r\n"u8.ToArray());
        await Assert.ThrowsAnyAsync<IOException>(() => Patience.UntilAsync(
            async () =>
            {
                await dialer.WriteAsync("x"u8.ToArray());
                time.Advance(TimeSpan.FromSeconds(0.1));
                return false;
            },
            "the end of the trickle"));
        Assert.EndsWith("silent or slow before its CONNECT was whole", await Listeners.RefusalAsync(broker, dialer.LocalEndPoint));
        await Listeners.AssertRejectedOnceAsync(broker, "dial", "timeout");
    }

    private static async Task<List<Socket>> FloodAsync(TestBroker broker, string listener)
    {
        var sockets = new List<Socket>();
        for (var i = 0; i < Limit + Beyond; i++)
        {
            sockets.Add(await Listeners.ConnectAsync(broker, listener));
        }

        return sockets;
    }

    /// <summary>One dial after the other, each of which must succeed; how many there were.</summary>
    private static async Task<int> DialAsync(TestBroker broker, ScriptedAgent agent, Func<bool> isOver)
    {
        var dials = 0;
        for (; !isOver(); dials++)
        {
            var (dialer, leg) = await broker.JoinAsync(agent);
            await using (dialer)
            await using (leg)
            {
                await leg.WriteAsync("x"u8.ToArray());
                Assert.Equal("x"u8.ToArray(), await dialer.ReadExactlyAsync(1));
            }
        }

        return dials;
    }

    private static async Task UntilEndedAsync(Socket socket)
    {
        try
        {
            while (await socket.ReceiveAsync(new byte[256]) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // It was reset.
        }
    }

    private static bool HasEnded(Socket socket) => socket.Poll(0, SelectMode.SelectRead);
}
