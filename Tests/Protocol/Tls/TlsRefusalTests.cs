using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Whip.Agent.ControlStreams;
using Whip.Client;
using Whip.Protocol.Dialing;
using Whip.Protocol.Tls;

namespace Whip.Tests.Protocol.Tls;

/// <summary>What a dialer and an agent say of a peer that refuses their certificate by a TLS alert, as most TLS libraries do.</summary>
public sealed class TlsRefusalTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private Process? _server;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_server is { } server)
        {
            server.Kill();
            await server.WaitForExitAsync().WaitAsync(Patience.Long);
            server.Dispose();
        }

        _folder.Dispose();
    }

    [Theory]
    [InlineData("error:0A000418:SSL routines::tlsv1 alert unknown ca", "it sent the TLS alert \"unknown ca\": the CA of this certificate is not trusted there")]
    [InlineData(
        "error:0A000415:SSL routines::ssl/tls alert certificate expired", "it sent the TLS alert \"certificate expired\": this certificate is expired by")]
    [InlineData("error:0A000414:SSL routines::sslv3 alert certificate revoked", "revoked or denied there")]
    [InlineData("error:0A000412:SSL routines::sslv3 alert bad certificate", "as expired, of another CA, or denied")]
    [InlineData("error:0A00045C:SSL routines::tlsv13 alert certificate required", "none was shown")]
    [InlineData("error:0A000410:SSL routines::ssl/tls alert handshake failure", "no TLS version or cipher")]
    [InlineData("error:0A000438:SSL routines::tlsv1 alert internal error", "the log there says more")]
    [InlineData("Connection reset by peer", null)]
    [InlineData("error:0A000126:SSL routines::unexpected eof while reading", null)]
    [InlineData("the sensor sent an alert of its own", null)]
    public void An_alert_is_told_by_its_name_and_what_it_means(string message, string? told)
    {
        var alert = TlsRefusal.Alert(new IOException("decrypt", new InvalidOperationException(message)));
        Assert.Equal(told is null, alert is null);
        Assert.Contains(told ?? "", alert ?? "");
    }

    /// <summary>In TLS 1.3 the alert comes after our side of the handshake: what is written meanwhile may fail before it is read.</summary>
    [SkippableTheory]
    [InlineData("-tls1_2", "^[^;]*(; )?it sent the TLS alert \"unknown ca\": the CA of this certificate is not trusted there$")]
    [InlineData("-tls1_3", "it sent the TLS alert \"unknown ca\": the CA of this certificate is not trusted there$|; it may have refused the certificate \\(")]
    public async Task A_dialer_and_an_agent_whose_CA_a_server_of_OpenSSL_does_not_know_say_so(string version, string why)
    {
        var port = await StartServerAsync(version);
        var options = new WhipDialerOptions { Brokers = [$"localhost:{port}"] };
        var dialer = new WhipDialer(options, TestCertificates.Shared.ClientIdentity("dialer.testdom"), TimeProvider.System, first: 0);
        var result = await dialer.TryDialAsync(new DialRequest("a.testdom", 80)).AsTask().WaitAsync(Patience.Long);
        Assert.Equal(DialOutcome.BrokerUnreachable, result.Outcome);
        Assert.Matches(why, result.Reason);

        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            using var call = await ControlCall.OpenAsync(new IPEndPoint(IPAddress.Loopback, port), TestCertificates.Shared.ClientIdentity("a.testdom"));
            await call.ReadAsync();
        });
        var unanswered = TlsRefusal.Unanswered(TestCertificates.Shared.ClientIdentity("a.testdom"), DateTimeOffset.UtcNow);
        Assert.Matches(why, StreamEnd.Of(refused, unanswered).Reason);
    }

    /// <summary>A server with the broker's certificate that trusts another CA.</summary>
    private async Task<int> StartServerAsync(string version)
    {
        Tools.Require("openssl");
        var files = TestCertificates.Shared.WriteFiles(_folder.FullName);
        var otherCa = _folder.Write("other.pem", TestCertificates.OtherCaRoots[0].ExportCertificatePem());
        var port = FreePort.Find(1)[0];
        string[] args = ["s_server", version, "-quiet", "-accept", $"127.0.0.1:{port}", "-cert", files.CertPath!, "-key", files.KeyPath!, "-alpn", "h2"];
        var start = new ProcessStartInfo("openssl", [.. args, "-CAfile", otherCa, "-no-CAstore", "-no-CApath", "-Verify", "3", "-verify_return_error"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _server = Process.Start(start)!;
        await Patience.UntilAsync(
            async () =>
            {
                Assert.False(_server.HasExited, "openssl s_server has ended");
                using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    await probe.ConnectAsync(IPAddress.Loopback, port);
                    return true;
                }
                catch (SocketException)
                {
                    return false;
                }
            },
            "a server");
        return port;
    }
}
