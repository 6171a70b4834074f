using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Whip.Client;
using Whip.Client.Forwarding;
using Whip.Protocol.Dialing;
using Whip.Protocol.Options;

namespace Whip.Tests.Client.Forwarding;

[UnsupportedOSPlatform("windows")]
public sealed class ForwarderTests
{
    [Theory, PlainAndTls]
    public async Task A_client_of_a_forwarded_port_reaches_the_service_and_both_ends_go_through(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var service = await RealService.StartAsync(broker, tls, connection => connection.EchoAsync());
        var options = new WhipDialerOptions { Brokers = [$"{broker.Broker.DialEndPoint}"] };
        await using (var forwarder = new WhipForwarder(new WhipDialer(options, broker.Client("dialer.testdom"), TimeProvider.System, first: 0)))
        {
            var address = forwarder.Forward(TestForwarder.FreePort, "web.testdom", service.Port);
            await using var client = await TestForwarder.ConnectAsync(address);
            await client.WriteAsync("question"u8.ToArray());
            await client.CompleteWritesAsync();
            using var answer = new MemoryStream();
            await client.CopyToAsync(answer).WaitAsync(Patience.Long);
            Assert.Equal("question"u8.ToArray(), answer.ToArray());
        }

        await broker.AssertNothingLeftAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_of_one_side_is_one_of_the_other(bool byClient)
    {
        await using var test = new TestForwarder();
        var (client, service) = await test.JoinAsync(test.Forwarder.Forward(TestForwarder.FreePort, "web.testdom", 80));
        await using var _ = client;
        await using var __ = service;
        await client.WriteAsync(new byte[1]);
        await service.ReadExactlyAsync(new byte[1]);
        (byClient ? client : service).Abort();
        await Assert.ThrowsAsync<IOException>(() => (byClient ? service : client).ReadAsync(new byte[1]).AsTask().WaitAsync(Patience.Long));
    }

    [Fact]
    public async Task A_client_that_only_reads_gets_what_the_service_says()
    {
        await using var test = new TestForwarder();
        await using var client = await TestForwarder.ConnectAsync(test.Forwarder.Forward(TestForwarder.FreePort, "web.testdom", 80));
        await client.CompleteWritesAsync();
        await using var service = await test.ServeAsync();
        Assert.Equal(0, await service.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience.Long));
        await service.WriteAsync(new byte[5]);
        await service.CompleteWritesAsync();
        using var got = new MemoryStream();
        await client.CopyToAsync(got).WaitAsync(Patience.Long);
        Assert.Equal(5, got.Length);
    }

    [Fact]
    public async Task A_connection_whose_dial_fails_is_reset_and_the_log_says_why()
    {
        await using var test = new TestForwarder();
        test.Dialer.Fail("gone.testdom:80", DialOutcome.NoSuchHost, "gone.testdom is not registered");
        await AssertResetAsync(test.Forwarder.Forward(TestForwarder.FreePort, "gone.testdom", 80));
        Assert.Equal(
            "a connection was reset, because the dial of gone.testdom:80 failed: NoSuchHost: gone.testdom is not registered",
            (await test.Logs.WaitForAsync("DialFailed")).Message);
    }

    [Fact]
    public async Task A_client_that_resets_its_connection_ends_its_dial()
    {
        await using var test = new TestForwarder();
        var hanging = test.HangAsync("slow.testdom:80");
        var client = await TestForwarder.ConnectAsync(test.Forwarder.Forward(TestForwarder.FreePort, "slow.testdom", 80));
        var dial = await hanging;
        client.Abort();
        await Patience.UntilAsync(() => dial.IsCancellationRequested, "the end of the dial");
        await Patience.UntilAsync(() => test.Forwarder.Connections == 0, "the end of the connection");
    }

    [Fact]
    public async Task One_connection_more_than_allowed_is_reset_and_later_ones_are_served()
    {
        await using var test = new TestForwarder(new WhipForwarderOptions { MaxConnections = 1 });
        var address = test.Forwarder.Forward(TestForwarder.FreePort, "web.testdom", 80);
        var (client, service) = await test.JoinAsync(address);
        await AssertResetAsync(address);
        Assert.Contains("because 1 are open", (await test.Logs.WaitForAsync("Full")).Message);
        client.Abort();
        service.Abort();
        await Patience.UntilAsync(() => test.Forwarder.Connections == 0, "the end of the connection");
        (client, service) = await test.JoinAsync(address);
        await client.DisposeAsync();
        await service.DisposeAsync();
    }

    [Fact]
    public async Task A_stop_lets_connections_finish_and_then_resets_them()
    {
        await using var test = new TestForwarder();
        var address = test.Forwarder.Forward(TestForwarder.FreePort, "web.testdom", 80);
        var (client, service) = await test.JoinAsync(address);
        await using var _ = client;
        await using var __ = service;
        await client.WriteAsync(new byte[1]);
        await service.ReadExactlyAsync(new byte[1]);
        var stopping = test.Forwarder.StopAsync();
        await Patience.UntilAsync(async () => await IsRefusedAsync(address), "the end of the listener");
        await client.WriteAsync(new byte[1]);
        await service.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(Patience.Long);
        Assert.False(stopping.IsCompleted);
        test.Time.Advance(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<IOException>(() => client.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience.Long));
        await stopping.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task A_unix_socket_is_for_its_user_and_is_removed_with_the_forwarder()
    {
        using var folder = new TempFolder();
        var path = folder.PathOf("db.sock");
        await using (var test = new TestForwarder())
        {
            var (client, service) = await test.JoinAsync(test.Forwarder.Forward(new UnixDomainSocketEndPoint(path), "web.testdom", 80));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            await client.WriteAsync(new byte[1]);
            await client.CompleteWritesAsync();
            Assert.Equal(1, await service.ReadAsync(new byte[2]).AsTask().WaitAsync(Patience.Long));
            Assert.Equal(0, await service.ReadAsync(new byte[2]).AsTask().WaitAsync(Patience.Long));
            await service.WriteAsync(new byte[1]);
            await service.DisposeAsync();
            using var answer = new MemoryStream();
            await client.CopyToAsync(answer).WaitAsync(Patience.Long);
            Assert.Equal(1, answer.Length);
            await client.DisposeAsync();
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task The_file_of_a_unix_socket_is_replaced_only_if_it_is_one_that_nobody_listens_at()
    {
        using var folder = new TempFolder();
        var abandoned = folder.PathOf("abandoned");
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            // A program that was killed leaves the file; a socket that is disposed removes it, if it is still there.
            dead.Bind(new UnixDomainSocketEndPoint(folder.PathOf("bound")));
            File.Move(folder.PathOf("bound"), abandoned, overwrite: true);
        }

        Assert.True(File.Exists(abandoned));
        await using var test = new TestForwarder();
        test.Forwarder.Forward(new UnixDomainSocketEndPoint(abandoned), "web.testdom", 80);
        foreach (var path in new[] { abandoned, folder.Write("regular", "kept") })
        {
            var error = Assert.Throws<SocketException>(() => test.Forwarder.Forward(new UnixDomainSocketEndPoint(path), "web.testdom", 80));
            Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
        }

        Assert.Equal("kept", await File.ReadAllTextAsync(folder.PathOf("regular")));
    }

    [Fact]
    public async Task An_address_of_other_machines_must_be_allowed()
    {
        await using var test = new TestForwarder();
        var anywhere = new IPEndPoint(IPAddress.Any, 0);
        var error = Assert.Throws<WhipOptionException>(() => test.Forwarder.Forward(anywhere, "web.testdom", 80));
        Assert.Equal(nameof(WhipForwarderOptions.ListenAnywhere), error.Option);
        await using var allowed = new TestForwarder(new WhipForwarderOptions { ListenAnywhere = true });
        var (client, service) = await allowed.JoinAsync(
            new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)allowed.Forwarder.Forward(anywhere, "web.testdom", 80)).Port));
        await client.DisposeAsync();
        await service.DisposeAsync();
        error = Assert.Throws<WhipOptionException>(() => allowed.Forwarder.ServeSocks(anywhere));
        Assert.Equal(nameof(WhipForwarderOptions.SocksPassword), error.Option);
    }

    private static async Task AssertResetAsync(EndPoint address)
    {
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var error = await Assert.ThrowsAsync<SocketException>(ReceiveAsync);
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);

        // The reset may already be there when the connection is.
        async Task ReceiveAsync()
        {
            await client.ConnectAsync(address);
            await client.ReceiveAsync(new byte[1]).WaitAsync(Patience.Long);
        }
    }

    private static async Task<bool> IsRefusedAsync(EndPoint address)
    {
        try
        {
            await (await TestForwarder.ConnectAsync(address)).DisposeAsync();
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
