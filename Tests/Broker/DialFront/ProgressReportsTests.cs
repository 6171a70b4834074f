using System.Net;
using System.Net.Sockets;
using System.Text;
using Whip.Broker.DialFront;
using Whip.Protocol.Connect;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Tests.Broker.DialFront;

public sealed class ProgressReportsTests
{
    private const string Accept = "Whip-Progress: accept\r\n";

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);
    private static readonly string Report = Encoding.ASCII.GetString(ConnectResponse.Progress.Span);

    [Theory, PlainAndTls]
    public async Task A_dialer_that_asked_hears_of_its_dial_until_the_answer_and_no_more(bool tls)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls, time: time);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.BeginDialAsync("instance1.testdom:5051", Accept);
        var connect = await agent.NextConnectAsync();
        for (var i = 0; i < 3; i++)
        {
            time.Advance(Period);
            Assert.Equal(Report, await TestBroker.ReadHeadAsync(dialer).WaitAsync(Patience.Long));
        }

        await using var leg = await agent.BringLegAsync(connect);
        Assert.StartsWith("HTTP/1.1 200 ", await TestBroker.ReadHeadAsync(dialer));
        time.Advance(Period);
        await leg.WriteAsync("only this"u8.ToArray());
        await leg.CompleteWritesAsync();
        Assert.Equal("only this", Encoding.ASCII.GetString(await dialer.ReadToEndAsync()));
        await dialer.CompleteWritesAsync();
        await broker.AssertNothingLeftAsync();
    }

    [Theory, PlainAndTls]
    public async Task A_quick_answer_comes_without_a_report(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var dialer = await broker.BeginDialAsync("nobody.testdom:5051", Accept);
        var answer = Encoding.ASCII.GetString(await dialer.ReadToEndAsync());
        Assert.StartsWith("HTTP/1.1 404 ", answer);
        Assert.DoesNotContain("HTTP/1.1 102", answer);
    }

    [Fact]
    public async Task A_dialer_that_goes_away_ends_its_reports()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls: false, time: time);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.BeginDialAsync("instance1.testdom:5051", Accept);
        await agent.NextConnectAsync();
        dialer.Abort();
        await broker.AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_dialer_that_stops_reading_is_cut_off_and_does_not_hold_its_dial()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var dialer = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await dialer.ConnectAsync(listener.LocalEndpoint).WaitAsync(Patience.Long);
        var socket = await listener.AcceptSocketAsync().WaitAsync(Patience.Long);
        await using var leg = new Leg(socket);

        // More than the system buffers for a peer that reads nothing. The leg does not know of it: it writes once the report does.
        var stuck = socket.SendAsync(new byte[64 << 20].AsMemory()).AsTask();
        var reports = ProgressReports.Start(new ConnectRequest(DialTarget.Of("a.b", 1)) { AcceptsProgress = true }, leg, TimeSpan.FromSeconds(5), time);
        Assert.NotNull(reports);
        time.Advance(Period);
        await Patience.UntilAsync(() => leg.IsWriting, "the report");
        var disposing = reports.DisposeAsync().AsTask();
        Assert.False(disposing.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(5));
        await disposing.WaitAsync(Patience.Long);
        await Assert.ThrowsAnyAsync<Exception>(() => stuck.WaitAsync(Patience.Long));
    }
}
