using System.Net;

namespace Whip.Tests.Proxy;

/// <summary>What the original's proxy gets wrong, driven by a client that nobody here wrote.</summary>
public sealed class OriginalDefectTests
{
    [Theory, PlainAndTls]
    public async Task The_http_proxy_rejects_CONNECT(bool tls)
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        await using var run = await ProxyRun.StartAsync(service, tls);

        var curl = await CurlAsync(run, "--proxytunnel", "http://instance1.testdom:5051/");

        Assert.Equal((0, "hello"), (curl.ExitCode, curl.Text));
    }

    [Theory, PlainAndTls]
    public async Task The_http_proxy_answers_401_for_407(bool tls)
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        await using var run = await ProxyRun.StartAsync(service, tls, options => options.Password = "secret");

        foreach (var tunnel in new[] { "--proxytunnel", "--silent" })
        {
            var without = await CurlAsync(run, tunnel, "--write-out", "%{http_code} %{http_connect}", "http://instance1.testdom:5051/");
            Assert.Contains("407", without.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("401", without.Text, StringComparison.Ordinal);

            // --proxy-anyauth waits to be asked before it says who it is.
            var asked = await CurlAsync(run, tunnel, "--proxy-anyauth", "--proxy-user", "whipproxy:secret", "http://instance1.testdom:5051/");
            Assert.Equal((0, "hello"), (asked.ExitCode, asked.Text));
        }
    }

    [Fact]
    public async Task The_http_proxy_sends_200_with_an_empty_body_when_the_upstream_failed()
    {
        await using var service = Service.Start(async leg => await Wire.ReadHeadAsync(leg));
        foreach (var target in new[] { null, new Uri("http://instance1.testdom:5051") })
        {
            await using var run = await ProxyRun.StartAsync(service, configure: options => options.Target = target);
            using var client = target is null ? run.CreateClient() : new HttpClient();

            using var response = await client.GetAsync(target is null ? "http://instance1.testdom:5051/" : run.Url);

            Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
            Assert.Equal(
                "whip-proxy: instance1.testdom:5051: it ended the connection before it answered\n", await response.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Curl_forwards_and_keeps_its_connection()
    {
        await using var service = Service.Answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        await using var run = await ProxyRun.StartAsync(service);

        var curl = await CurlAsync(run, "http://instance1.testdom:5051/", "http://instance1.testdom:5051/");

        Assert.Equal((0, "hellohello"), (curl.ExitCode, curl.Text));
        Assert.Single(run.Dialer.Dials);
    }

    private static Task<ShellCommand> CurlAsync(ProxyRun run, params string[] args) => ShellCommand.RunAsync(
        "/", "curl", ["--silent", "--max-time", "30", "--proxy", run.Url, "--proxy-cacert", run.CaPath, .. args]);
}
