using System.Net;
using System.Net.Sockets;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;

namespace Whip.Tests.Protocol.Legs;

public sealed class ConnectorTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_connection_that_is_given_up_as_it_stands_is_reset_and_not_ended()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        for (var i = 0; i < 300; i++)
        {
            using var cancel = new CancellationTokenSource();
            var accepting = listener.AcceptSocketAsync();
            var connecting = new Connector(TimeProvider.System).ConnectAsync(
                [IPAddress.Loopback], ((IPEndPoint)listener.LocalEndpoint).Port, cancel.Token);
            using var accepted = await accepting.WaitAsync(Patience.Long);
            await cancel.CancelAsync();
            await connecting.ContinueWith(static done => done.IsCompletedSuccessfully ? Abort(done.Result) : 0, TaskScheduler.Default).WaitAsync(Patience.Long);
            await Assert.ThrowsAsync<SocketException>(() => accepted.ReceiveAsync(new byte[1]).WaitAsync(Patience.Long));
        }

        static int Abort(Leg leg)
        {
            leg.Abort();
            return 0;
        }
    }

    [Fact]
    public async Task An_address_that_does_not_answer_delays_a_connection_by_a_quarter_of_a_second()
    {
        using var name = new TwoAddresses();
        using var listener = new TcpListener(TwoAddresses.Alive, name.Port);
        listener.Start();
        var connecting = new Connector(_time, resolve: TwoAddresses.Resolve).ConnectAsync(HostPort.Of("broker.test", name.Port), default);
        await Patience.UntilAsync(() => name.Waiting == 1, "the first attempt");
        Assert.False(listener.Pending());

        var since = _time.GetUtcNow();
        await _time.AdvanceUntilAsync(() => connecting.IsCompleted, "the second", step: TimeSpan.FromMilliseconds(50), atMost: Connector.NextAfter);
        await using var leg = await connecting;
        Assert.Equal(TwoAddresses.Alive, leg.RemoteEndPoint.Address);
        Assert.Equal(Connector.NextAfter, _time.GetUtcNow() - since);
        Assert.Equal(0, name.Waiting);
    }

    [Fact]
    public async Task An_address_that_refuses_delays_nothing()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var connector = new Connector(_time, resolve: (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("127.0.0.3"), IPAddress.Loopback]));
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        await using var leg = await connector.ConnectAsync(HostPort.Of("broker.test", port), default).WaitAsync(Patience.Long);
        Assert.Equal(IPAddress.Loopback, leg.RemoteEndPoint.Address);
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.3")]
    [InlineData("::1", "127.0.0.1")]
    [InlineData("127.0.0.1", "2001:db8::1")]
    public async Task When_every_address_refuses_the_failure_says_so(params string[] addresses)
    {
        var connector = new Connector(_time, resolve: (_, _) => Task.FromResult<IPAddress[]>([.. addresses.Select(IPAddress.Parse)]));
        var error = await Assert.ThrowsAsync<SocketException>(
            () => connector.ConnectAsync(HostPort.Of("broker.test", FreePort.Find(1)[0]), default).WaitAsync(Patience.Long));
        Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
    }

    [Fact]
    public async Task A_caller_that_gives_up_leaves_no_attempt_behind()
    {
        using var name = new TwoAddresses();
        using var giveUp = new CancellationTokenSource();
        var addresses = new[] { TwoAddresses.Dead, TwoAddresses.Dead.MapToIPv6() };
        var connecting = new Connector(_time).ConnectAsync(addresses, name.Port, giveUp.Token);
        await _time.AdvanceUntilAsync(() => name.Waiting == 2, "both attempts");
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.WaitAsync(Patience.Long));
        Assert.Equal(0, name.Waiting);
    }

    [Fact]
    public void Families_alternate_and_the_preferred_one_begins()
    {
        string[] given = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "2001:db8::1", "192.0.2.2"];
        string[] wanted = ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"];
        Assert.Equal(wanted, Connector.Interleave([.. given.Select(IPAddress.Parse)]).Select(address => $"{address}"));
        Assert.Empty(Connector.Interleave([]));
    }

    [Fact]
    public async Task A_name_without_an_address_is_one_that_does_not_resolve()
    {
        var connector = new Connector(_time, resolve: (_, _) => Task.FromResult<IPAddress[]>([]));
        var error = await Assert.ThrowsAsync<SocketException>(() => connector.ConnectAsync(HostPort.Of("broker.test", 1), default));
        Assert.Equal(SocketError.NoData, error.SocketErrorCode);
    }
}
