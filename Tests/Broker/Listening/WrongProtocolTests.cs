using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Whip.Tests.Broker.Listening;

/// <summary>
/// Plain text at a TLS port, TLS at a plain port, and the wrong protocol at the right one: one line in the log, and an HTTP client is told where to go.
/// </summary>
public sealed class WrongProtocolTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    [Theory]
    [InlineData("grpc", "speaks TLS")]
    [InlineData("rendezvous", "TLS spoken to a plain port")]
    [InlineData("dial", "TLS spoken to a plain port")]
    public async Task TLS_at_a_plain_port_is_closed_with_one_line(string listener, string why)
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        using var socket = await Listeners.ConnectAsync(broker, listener);
        await using var tls = new SslStream(new NetworkStream(socket));
        var error = await Assert.ThrowsAnyAsync<Exception>(() =>
            tls.AuthenticateAsClientAsync(TestCertificates.Shared.ClientIdentity("a.testdom").ClientOptions("127.0.0.1", 0)).WaitAsync(Patience.Long));
        Assert.True(error is AuthenticationException or IOException, error.ToString());
        Assert.Contains(why, await Listeners.RefusalAsync(broker, socket.LocalEndPoint!));
        await Listeners.AssertRejectedOnceAsync(broker, listener, "refused");
    }

    [Theory]
    [InlineData(true, "grpc", "gRPC over TLS", "--dial-listen")]
    [InlineData(true, "rendezvous", "plain text spoken to a TLS port", "--dial-listen")]
    [InlineData(true, "dial", "plain text spoken to a TLS port", "use an https proxy URL and a client certificate")]
    [InlineData(false, "grpc", "gRPC without TLS", "--dial-listen")]
    [InlineData(false, "rendezvous", "it speaks HTTP/1", "--dial-listen")]
    [InlineData(false, "dial", "only CONNECT is served here", "only CONNECT is served here")]
    public async Task HTTP_gets_a_readable_400_that_names_the_right_port(bool tls, string listener, string why, string hint)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        using var socket = await Listeners.ConnectAsync(broker, listener);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Get));
        var answer = Encoding.ASCII.GetString(await stream.ReadToEndAsync());
        Assert.StartsWith("HTTP/1.1 400 Bad Request\r\n", answer);
        Assert.Contains(hint, answer[answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)..]);
        socket.Shutdown(SocketShutdown.Send);
        Assert.Contains(why, await Listeners.RefusalAsync(broker, socket.LocalEndPoint!));
        await Listeners.AssertRejectedOnceAsync(broker, listener, "refused");
    }

    [Theory]
    [InlineData(true, "rendezvous", "plain text spoken to a TLS port")]
    [InlineData(true, "dial", "plain text spoken to a TLS port")]
    [InlineData(false, "rendezvous", "it speaks HTTP/1")]
    public async Task The_line_says_so_also_when_the_HTTP_client_stays(bool tls, string listener, string why)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var broker = await TestBroker.StartAsync(tls, time: time);
        using var socket = await Listeners.ConnectAsync(broker, listener);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Get));

        // It has the whole answer, and keeps its end open for as long as the broker bears it.
        await stream.ReadToEndAsync();
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Contains(why, await Listeners.RefusalAsync(broker, socket.LocalEndPoint!));
        await Listeners.AssertRejectedOnceAsync(broker, listener, "refused");
    }

    [Theory]
    [InlineData(true, "grpc", "gRPC over TLS")]
    [InlineData(true, "rendezvous", "plain text spoken to a TLS port")]
    [InlineData(true, "dial", "plain text spoken to a TLS port")]
    [InlineData(false, "grpc", "gRPC without TLS")]
    [InlineData(false, "rendezvous", "the leg does not begin with a JSON object")]
    [InlineData(false, "dial", "not ")]
    public async Task Bytes_that_are_nothing_are_closed_with_one_line(bool tls, string listener, string why)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        using var socket = await Listeners.ConnectAsync(broker, listener);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(new byte[] { 0x00, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x0d, 0x0a, 0x0d, 0x0a });
        await EndedAsync(stream);
        var line = await Listeners.RefusalAsync(broker, socket.LocalEndPoint!);
        Assert.Contains(why, line);
        Assert.DoesNotContain(line, char.IsControl);
    }

    [Theory]
    [InlineData("grpc")]
    [InlineData("rendezvous")]
    [InlineData("dial")]
    public async Task A_TLS_handshake_that_stops_halfway_is_closed_with_one_line(string listener)
    {
        await using var broker = await TestBroker.StartAsync(tls: true, time: new FakeTimeProvider(DateTimeOffset.UtcNow));
        using var socket = await Listeners.ConnectAsync(broker, listener);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(new byte[] { 0x16, 0x03, 0x01, 0x02, 0x00, 0x01 });
        socket.Shutdown(SocketShutdown.Send);
        await EndedAsync(stream);
        Assert.Contains("the peer ended the connection during the TLS handshake", await Listeners.RefusalAsync(broker, socket.LocalEndPoint!));
    }

    [Theory]
    [InlineData("grpc", false)]
    [InlineData("rendezvous", false)]
    [InlineData("dial", false)]
    [InlineData("grpc", true)]
    [InlineData("rendezvous", true)]
    [InlineData("dial", true)]
    public async Task A_peer_that_drops_out_of_TLS_after_its_handshake_is_closed_without_a_fault(string listener, bool endsTcpOnly)
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        using var socket = await Listeners.ConnectAsync(broker, listener);
        await using var stream = new NetworkStream(socket);
        await using var tls = new SslStream(stream);
        var options = TestCertificates.Shared.ClientIdentity("a.testdom").ClientOptions("127.0.0.1", 0);
        options.ApplicationProtocols = listener == "grpc" ? [SslApplicationProtocol.Http2] : null;
        await tls.AuthenticateAsClientAsync(options).WaitAsync(Patience.Long);
        if (endsTcpOnly)
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        else
        {
            await stream.WriteAsync("\u0017\u0003\u0003\u0000\u0020 plain text in a TLS record .......\r\n"u8.ToArray());
        }

        await EndedAsync(stream);
        await broker.AssertNothingLeftAsync();
    }

    /// <summary>The broker closed it, cleanly or with a reset.</summary>
    private static async Task EndedAsync(NetworkStream stream)
    {
        try
        {
            await stream.ReadToEndAsync();
        }
        catch (IOException)
        {
        }
    }
}
