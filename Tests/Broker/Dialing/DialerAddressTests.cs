using System.Text;
using Whip.Protocol.Dialing;
using Whip.Protocol.Legs;

namespace Whip.Tests.Broker.Dialing;

/// <summary>What agents, and the services behind them, are told of where a dial came from.</summary>
public sealed class DialerAddressTests
{
    [Theory, PlainAndTls]
    public async Task An_agent_is_told_both_addresses_and_the_name_as_it_was_dialled(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        await using var dialer = await broker.BeginDialAsync("TESTDOM:5051");
        var connect = await agent.NextConnectAsync();
        Assert.Equal(($"{dialer.LocalEndPoint} {broker.Broker.DialEndPoint}", "testdom"), (connect.DialerAddress, connect.Dialled));
        await agent.FailAsync(connect, "no");

        // This process has no address to tell.
        var dialling = ((IWhipDialer)broker.Broker).TryDialAsync(new DialRequest("instance1.testdom", 5051)).AsTask();
        connect = await agent.NextConnectAsync();
        Assert.Equal(("", "instance1.testdom"), (connect.DialerAddress, connect.Dialled));
        await agent.FailAsync(connect, "no");
        await dialling.WaitAsync(Patience.Long);
    }

    [Theory, PlainAndTls]
    public async Task A_dialer_cannot_claim_another_address(bool tls)
    {
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await broker.RegisterAsync();
        Assert.StartsWith("HTTP/1.1 400 ", await broker.RefusedAsync("instance1.testdom:5051", "Whip-Dialer-Address: 10.0.0.1:1 10.0.0.2:2\r\n"));
    }

    [SkippableTheory, PlainAndTls]
    public async Task A_broker_that_forwards_tells_the_address_and_is_believed_by_its_certificate(bool tls)
    {
        await using var cluster = await TestCluster.StartAsync(tls);
        await using var agent = await cluster[1].RegisterAsync();
        await using var dialer = await cluster[0].BeginDialAsync("testdom:5051");
        var connect = await agent.NextConnectAsync();
        Assert.Equal(
            (tls ? $"{dialer.LocalEndPoint} {cluster[0].Broker.DialEndPoint}" : "", "testdom"), (connect.DialerAddress, connect.Dialled));
        await agent.FailAsync(connect, "no");

        // Without TLS anybody on the machine may say that a dial is forwarded, and so who dials is not believed.
        const string Claim = "Whip-Forwarded: b1\r\nWhip-Dialer-Address: 10.0.0.1:1 10.0.0.2:2\r\n";
        Assert.StartsWith("HTTP/1.1 400 ", await cluster[1].RefusedAsync("instance1.testdom:5051", Claim));
    }

    [SkippableFact]
    public async Task Nginx_sees_the_address_of_the_dialer()
    {
        Tools.Require("nginx");
        using var folder = new TempFolder();
        var port = FreePort.Find(1).Single();
        var config = folder.Write("nginx.conf", $$"""
            daemon off;
            pid {{folder.FullName}}/nginx.pid;
            error_log stderr;
            events { }
            http {
              access_log off;
              client_body_temp_path {{folder.FullName}}/1; proxy_temp_path {{folder.FullName}}/2; fastcgi_temp_path {{folder.FullName}}/3;
              uwsgi_temp_path {{folder.FullName}}/4; scgi_temp_path {{folder.FullName}}/5;
              server {
                listen 127.0.0.1:{{port}} proxy_protocol;
                location / { return 200 "$proxy_protocol_addr:$proxy_protocol_port $proxy_protocol_server_addr:$proxy_protocol_server_port"; }
              }
            }

            """);
        await using var nginx = await ListeningProgram.StartAsync(port, "nginx", "-e", "stderr", "-c", config);
        await AssertToldAsync(port, "80=address", (dialer, broker) => $"{dialer.LocalEndPoint} {broker.Broker.DialEndPoint}");
    }

    [SkippableFact]
    public async Task Haproxy_sees_the_address_of_the_dialer_and_the_name_that_was_dialled()
    {
        Tools.Require("haproxy");
        using var folder = new TempFolder();
        var port = FreePort.Find(1).Single();
        var config = folder.Write("haproxy.cfg", $"""
            defaults
              mode http
              timeout connect 10s
              timeout client 60s
            frontend service
              bind 127.0.0.1:{port} accept-proxy
              http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] %[fc_pp_authority]"

            """);
        await using var haproxy = await ListeningProgram.StartAsync(port, "haproxy", "-db", "-f", config);
        await AssertToldAsync(port, "80", (dialer, _) => $"{dialer.LocalEndPoint} testdom");
    }

    /// <summary>Dials a service behind a real agent, which checks it as well: a check of its own has no dialer.</summary>
    private static async Task AssertToldAsync(int servicePort, string proxied, Func<Leg, TestBroker, string> told)
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        using var folder = new TempFolder();
        var files = TestCertificates.Shared.WriteClientFiles(folder.FullName, "a.testdom");
        await using var agent = await WhipProcess.StartReadyAsync(
            "whip-agent",
            [
                .. Certificates.Flags(files), "--hostname=a", "--domain=testdom", $"--ports=80={servicePort}", "--check=80=http:/",
                $"--proxy-protocol={proxied}", $"{broker.Broker.GrpcEndPoint}",
            ]);
        await agent.ErrorLineAsync("is registered");
        for (var i = 0; i < 3; i++)
        {
            await using var dialer = await broker.BeginDialAsync("testdom:80");
            Assert.StartsWith("HTTP/1.1 200 Connection established", await TestBroker.ReadHeadAsync(dialer));
            await dialer.WriteAsync("GET / HTTP/1.1\r\nHost: a.testdom\r\nConnection: close\r\n\r\n"u8.ToArray());
            Assert.EndsWith($"\r\n\r\n{told(dialer, broker)}", Encoding.ASCII.GetString(await dialer.ReadToEndAsync()));
        }
    }
}
