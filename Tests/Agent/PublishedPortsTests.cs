using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Whip.Tests.Agent;

/// <summary><c>--ports</c> with targets, through the real programs.</summary>
public sealed class PublishedPortsTests
{
    [Theory, PlainAndTls]
    public async Task Curl_reaches_a_port_another_port_a_host_and_a_unix_socket(bool tls)
    {
        using var folder = new TempFolder();
        var path = folder.PathOf("app.sock");
        await using var app = await StartServiceAsync(path);
        var bound = app.Urls.Select(url => new Uri(url)).First(url => url.Scheme == "http" && url.Host == "127.0.0.1").Port;
        await using var broker = await TestBroker.StartAsync(tls);
        await using var agent = await WhipProcess.StartReadyAsync(
            "whip-agent",
            [
                .. Tls(tls, folder, "a.testdom"), "--hostname=a", "--domain=testdom",
                $"--ports={bound},80={bound},443=127.0.0.1:{bound},5353=unix:{path}", $"{broker.Broker.GrpcEndPoint}",
            ]);
        await agent.ErrorLineAsync("registered");
        var scheme = tls ? "https" : "http";
        string[] proxy = ["--proxytunnel", "--proxy", $"{scheme}://{broker.Broker.DialEndPoint}", .. CurlTls(tls, folder)];
        foreach (var port in new[] { bound, 80, 443, 5353 })
        {
            var curl = await ShellCommand.RunAsync("/", "curl", ["-sS", "--max-time", "30", .. proxy, $"http://a.testdom:{port}/"]);
            Assert.Equal((0, port == 5353 ? "unix" : "tcp"), (curl.ExitCode, curl.Text));
        }

        Assert.Contains("403 Forbidden", await broker.RefusedAsync("a.testdom:81"));
    }

    private static async Task<WebApplication> StartServiceAsync(string path)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.ListenUnixSocket(path);
        });
        var app = builder.Build();
        app.Run(context => context.Response.WriteAsync(context.Connection.RemoteIpAddress is null ? "unix" : "tcp"));
        await app.StartAsync();
        return app;
    }

    private static string[] Tls(bool tls, TempFolder folder, string name)
    {
        if (!tls)
        {
            return ["--tls=false"];
        }

        var files = TestCertificates.Shared.WriteClientFiles(folder.FullName, name);
        return ["--tls-key-path", files.KeyPath!, "--tls-cert-path", files.CertPath!, "--tls-ca-cert-path", files.CaCertPath!];
    }

    private static string[] CurlTls(bool tls, TempFolder folder)
    {
        if (!tls)
        {
            return [];
        }

        var files = TestCertificates.Shared.WriteClientFiles(folder.FullName, "dialer.testdom");
        return ["--proxy-cacert", files.CaCertPath!, "--proxy-cert", files.CertPath!, "--proxy-key", files.KeyPath!];
    }
}
