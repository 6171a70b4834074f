using System.Globalization;
using System.Text;
using Whip.Client;
using Whip.Protocol.Dialing;
using Whip.Tests.Client;

namespace Whip.Tests.Broker.DialFront;

/// <summary>
/// An HTTP proxy between dialer and broker, which knows nothing of frames: a dial is served with the right bytes, or refused; never is the header of a
/// frame among the data.
/// </summary>
public sealed class IntermediaryTests
{
    private const int Dials = 40;

    [SkippableTheory]
    [InlineData(false, "")]
    [InlineData(true, "")]
    [InlineData(false, "http-reuse always")]
    [InlineData(true, "http-reuse always")]
    public async Task Through_haproxy_every_dial_has_its_bytes(bool tls, string reuse)
    {
        Tools.Require("haproxy");
        using var folder = new TempFolder();
        await using var broker = await TestBroker.StartAsync(tls);
        var port = FreePort.Find(1).Single();
        var secured = "";
        if (tls)
        {
            var files = TestCertificates.Shared.WriteClientFiles(folder.FullName, "dialer.testdom");
            var both = folder.Write("both.pem", $"{File.ReadAllText(files.CertPath!)}\n{File.ReadAllText(files.KeyPath!)}\n");
            secured = $"ssl verify required ca-file {files.CaCertPath} crt {both}";
        }

        var config = folder.Write("haproxy.cfg", $"""
            defaults
              mode http
              timeout connect 10s
              timeout client 60s
              timeout server 60s
            listen brokers
              bind 127.0.0.1:{port}
              {reuse}
              server b1 {broker.Broker.DialEndPoint} {secured}

            """);
        await using var proxy = await ListeningProgram.StartAsync(port, "haproxy", "-db", "-f", config);
        await using var service = await RealService.StartAsync(broker, tls, connection => connection.EchoAsync());
        using var dialer = new WhipDialer(new WhipDialerOptions { Brokers = [$"127.0.0.1:{port}"], Tls = { Enabled = false } });
        for (var i = 0; i < Dials; i += 4)
        {
            await Task.WhenAll(Enumerable.Range(i, 4).Select(number => EchoAsync(dialer, service.Port, number)));
            Assert.Equal(DialOutcome.PortNotPublished, (await dialer.TryDialAsync(new DialRequest("web.testdom", 1))).Outcome);
        }
    }

    [SkippableTheory]
    [InlineData("http")]
    [InlineData("http with upstream keepalive")]
    public async Task Nginx_refuses_every_dial(string how)
    {
        Tools.Require("nginx");
        using var folder = new TempFolder();
        await using var broker = await TestBroker.StartAsync(tls: false);
        var port = FreePort.Find(1).Single();
        var keepalive = how == "http" ? "" : "keepalive 8;";
        var config = folder.Write("nginx.conf", $$"""
            daemon off;
            pid {{folder.FullName}}/nginx.pid;
            error_log stderr;
            events { }
            http {
              access_log off;
              client_body_temp_path {{folder.FullName}}/1; proxy_temp_path {{folder.FullName}}/2; fastcgi_temp_path {{folder.FullName}}/3;
              uwsgi_temp_path {{folder.FullName}}/4; scgi_temp_path {{folder.FullName}}/5;
              upstream brokers { server {{broker.Broker.DialEndPoint}}; {{keepalive}} }
              server {
                listen 127.0.0.1:{{port}};
                location / { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://brokers; }
              }
            }

            """);
        await using var proxy = await ListeningProgram.StartAsync(port, "nginx", "-e", "stderr", "-c", config);
        await using var service = await RealService.StartAsync(broker, tls: false, connection => connection.EchoAsync());
        using var dialer = new WhipDialer(new WhipDialerOptions { Brokers = [$"127.0.0.1:{port}"], Tls = { Enabled = false } });
        for (var i = 0; i < 4; i++)
        {
            var result = await dialer.TryDialAsync(new DialRequest("web.testdom", service.Port));
            Assert.True(result.Outcome is DialOutcome.BadRequest or DialOutcome.ProtocolError, $"{result.Outcome}: {result.Reason}");
        }

        Assert.Equal((0, 0), (dialer.Kept, broker.Parts.Kept.Count));
    }

    private static async Task EchoAsync(WhipDialer dialer, int port, int number)
    {
        var said = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"dial {number}: ").PadRight(100_000, 'x'));
        var result = await dialer.TryDialAsync(new DialRequest("web.testdom", port) { Deadline = Patience.Long });
        Assert.True(result.IsConnected, result.Reason);
        await using var stream = result.Stream;
        var sending = stream.WriteAsync(said).AsTask();
        Assert.Equal(said, await stream.ReadExactlyAsync(said.Length));
        await sending.WaitAsync(Patience.Long);
    }
}
