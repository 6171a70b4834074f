using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Whip.Protocol.Legs;
using Whip.Protocol.Names;
using Whip.Protocol.Via;
using Xunit.Abstractions;

namespace Whip.Tests.Protocol.Via;

/// <summary>Tunnels through proxies that answer in every way there is.</summary>
public sealed class ProxyTunnelTests(ITestOutputHelper output)
{
    private static readonly string[] Fragments =
    [
        "HTTP/1.1 200 OK\r\n", "HTTP/1.0 ", "HTTP/1.1 100 x\r\n\r\n", "HTTP/1.1 403 x\r\n", "407", "\r\n", "\r\n\r\n", "\n\n", "\n", "\r", "\0", " ", ":",
        "Content-Length: 5\r\n", "Content-Length: x\r\n", "Transfer-Encoding: chunked\r\n", "Proxy-Authenticate: Basic\r\n", "Proxy-Authenticate:\r\n",
        " folded\r\n", "\u0016\u0003\u0001", "\u00ff", "99999999999999999999",
    ];

    private const string Established = FakeDialConnection.Established;

    private static readonly HostPort Broker = HostPort.Of("broker.example", 50051);

    [Theory]
    [InlineData("HTTP/1.1 200 Connection established\r\n\r\n")]
    [InlineData("HTTP/1.0 200 Connection established\r\nProxy-agent: tinyproxy/1.11.1\r\n\r\n")]
    [InlineData("HTTP/1.1 204\nContent-Length: 5\n\n")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")]
    public async Task Behind_the_head_comes_the_broker_however_the_head_is_torn(string head)
    {
        await using var whole = new FakeDialFront(false, async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(head + "first bytes");
            await connection.EndAsync();
            await connection.WaitForEndAsync();
        });
        await using var torn = new FakeDialFront(false, async connection =>
        {
            connection.Socket.NoDelay = true;
            await connection.ReadHeadAsync();
            foreach (var one in head + "first bytes")
            {
                await connection.WriteAsync($"{one}");
                await Task.Yield();
            }

            await connection.EndAsync();
            await connection.WaitForEndAsync();
        });
        foreach (var proxy in new[] { whole, torn })
        {
            await using var leg = await OpenAsync($"http://{proxy.Authority}");
            Assert.Equal("first bytes", Encoding.ASCII.GetString(await leg.ReadToEndAsync()));
        }
    }

    [Theory]
    [InlineData("http://{0}", "CONNECT broker.example:50051 HTTP/1.1\r\nHost: broker.example:50051\r\n\r\n")]
    [InlineData(
        "http://us%65r:p%3Ass%20word@{0}/",
        "CONNECT broker.example:50051 HTTP/1.1\r\nHost: broker.example:50051\r\nProxy-Authorization: Basic dXNlcjpwOnNzIHdvcmQ=\r\n\r\n")]
    public async Task The_request_says_no_more_than_it_must(string url, string head)
    {
        string? asked = null;
        await using var proxy = new FakeDialFront(false, async connection =>
        {
            asked = await connection.ReadHeadAsync();
            await connection.WriteAsync(Established);
            await connection.WaitForEndAsync();
        });
        await using var leg = await OpenAsync(string.Format(null, url, proxy.Authority));
        Assert.Equal(head, asked);
    }

    [Theory]
    [InlineData("HTTP/1.1 403 Forbidden\r\n\r\n", "allows no tunnel to broker.example:50051 (403); most proxies allow port 443 alone", "squid: SSL_ports")]
    [InlineData("HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n", "wants a user and a password (407)", "http://user:password@host:port")]
    [InlineData("HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n\r\n", "by NTLM or Negotiate (407)", "Basic only")]
    [InlineData("HTTP/1.1 405 x\r\n\r\n", "makes no tunnels", "405")]
    [InlineData("HTTP/1.1 503 x\r\n\r\n", "cannot reach broker.example:50051 (503)", "its log")]
    [InlineData("HTTP/1.1 302 x\r\nLocation: http://login.example\r\n\r\n", "answered the CONNECT", "302")]
    [InlineData("SSH-2.0-x\r\n\r\n", "does not answer as an HTTP proxy", "status line")]
    [InlineData("HTTP/1.1 200 x\r\n folded: y\r\n\r\n", "does not answer as an HTTP proxy", "header line 1")]
    [InlineData("\u0015\u0003\u0001", "does not answer as an HTTP proxy", "TLS")]
    [InlineData("HTTP/1.1 200 x", "ended the connection without an answer", "")]
    [InlineData("", "ended the connection without an answer", "")]
    public async Task What_is_no_tunnel_is_named_with_the_proxy_and_what_to_do(string answer, string problem, string advice)
    {
        await using var proxy = FakeDialFront.Answering(tls: false, answer);
        var error = await Assert.ThrowsAsync<ProxyException>(() => OpenAsync($"http://{proxy.Authority}"));
        Assert.Contains($"http://{proxy.Authority}", error.Message);
        Assert.Contains(problem, error.Message);
        Assert.Contains(advice, error.Message);
    }

    [Fact]
    public async Task Generated_answers_make_a_tunnel_or_are_refused_by_name()
    {
        var random = Fuzz.Start(output, Fragments);
        var answers = new ConcurrentQueue<byte[]>();
        await using var proxy = new FakeDialFront(false, async connection =>
        {
            await connection.ReadHeadAsync();
            Assert.True(answers.TryDequeue(out var answer));
            await connection.Stream.WriteAsync(answer);
            await connection.EndAsync();
            await connection.WaitForEndAsync();
        });
        var tunnels = 0;
        for (var i = 0; i < 1000; i++)
        {
            answers.Enqueue(random.Next("HTTP/1.1 200 OK\r\n", of: 2));
            var failure = await Record.ExceptionAsync(async () => (await OpenAsync($"http://{proxy.Authority}")).Abort());
            Assert.True(failure is null || (failure is ProxyException && failure.Message.Contains(proxy.Authority, StringComparison.Ordinal)), $"{failure}");
            tunnels += failure is null ? 1 : 0;
        }

        Assert.InRange(tunnels, 10, 900);
    }

    [Fact]
    public async Task A_password_that_is_not_accepted_is_not_told_anybody()
    {
        await using var proxy = FakeDialFront.Answering(tls: false, "HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\n\r\n");
        var error = await Assert.ThrowsAsync<ProxyException>(() => OpenAsync($"http://alice:secret@{proxy.Authority}"));
        Assert.Equal($"the proxy http://{proxy.Authority} does not accept the user and password (407)", error.Message);
        Assert.Equal((ProxyFault.Refused, 407), (error.Fault, error.Status));
    }

    [Fact]
    public async Task Port_443_needs_no_advice_about_ports()
    {
        await using var proxy = FakeDialFront.Answering(tls: false, "HTTP/1.1 403 x\r\n\r\n");
        var error = await Assert.ThrowsAsync<ProxyException>(() => OpenAsync($"http://{proxy.Authority}", HostPort.Of("broker.example", 443)));
        Assert.DoesNotContain("SSL_ports", error.Message);
    }

    [Fact]
    public async Task A_head_ends_within_8_KiB()
    {
        await using var proxy = new FakeDialFront(false, async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\n");
            for (var i = 0; i < 1000; i++)
            {
                await connection.WriteAsync("X-Filler: 0123456789\r\n");
            }
        });
        var error = await Assert.ThrowsAsync<ProxyException>(() => OpenAsync($"http://{proxy.Authority}"));
        Assert.Contains("the head is longer than 8192 bytes", error.Message);
        Assert.Equal(ProxyFault.Failed, error.Fault);
    }

    [Fact]
    public async Task A_proxy_that_says_nothing_is_waited_for_until_the_caller_gives_up()
    {
        var asked = new TaskCompletionSource();
        var ended = new TaskCompletionSource<bool>();
        await using var proxy = FakeDialFront.Silent(tls: false, asked, ended);
        using var giveUp = new CancellationTokenSource();
        var opening = OpenAsync($"http://{proxy.Authority}", cancellationToken: giveUp.Token);
        await asked.Task.WaitAsync(Patience.Long);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);
        await ended.Task.WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task A_proxy_that_resets_is_named()
    {
        await using var proxy = new FakeDialFront(false, async connection =>
        {
            await connection.ReadHeadAsync();
            connection.Reset();
        });
        var error = await Assert.ThrowsAsync<ProxyException>(() => OpenAsync($"http://{proxy.Authority}"));
        Assert.Contains($"the proxy http://{proxy.Authority} broke the connection", error.Message);
        Assert.Equal(ProxyFault.Unreachable, error.Fault);
    }

    [Fact]
    public async Task A_proxy_that_is_away_is_named()
    {
        using var unused = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unused.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var error = await Assert.ThrowsAsync<ProxyException>(() => OpenAsync($"http://{unused.LocalEndPoint}"));
        Assert.StartsWith($"the proxy http://{unused.LocalEndPoint} cannot be reached: ", error.Message);
        Assert.Equal(ProxyFault.Unreachable, error.Fault);
    }

    /// <summary>A proxy that speaks first would otherwise put words into the broker's mouth.</summary>
    [Fact]
    public async Task Bytes_before_TLS_are_never_read_as_bytes_of_the_TLS_peer()
    {
        await using var proxy = new FakeDialFront(false, async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(Established + "HTTP/1.1 200 OK\r\n\r\n");
            await connection.WaitForEndAsync();
        });
        await using var leg = await OpenAsync($"http://{proxy.Authority}");
        var error = await Assert.ThrowsAsync<LegHandshakeException>(
            () => leg.AuthenticateAsClientAsync(TestCertificates.Shared.ClientIdentity("a.testdom"), "localhost", default).WaitAsync(Patience.Long));
        Assert.Equal("something was sent before the TLS handshake", error.Message);
    }

    private static async Task<Leg> OpenAsync(string url, HostPort? to = null, CancellationToken cancellationToken = default)
    {
        Assert.True(HttpProxy.TryParse(url, out var proxy, out _));
        Assert.DoesNotContain("secret", $"{proxy}");
        var opening = ProxyTunnel.ConnectAsync(new Connector(TimeProvider.System), proxy, to ?? Broker, cancellationToken);
        return await opening.WaitAsync(Patience.Long, CancellationToken.None);
    }
}
