using System.Net.Security;

namespace Whip.Tests.Proxy;

/// <summary>A proxy with one target.</summary>
public sealed class TargetTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n", true)]
    [InlineData("GET / HTTP/1.1\r\nHost: LOCALHOST:PORT\r\n", true)]
    [InlineData("GET http://localhost:PORT/ HTTP/1.1\r\nHost: ignored.example\r\n", true)]
    [InlineData("GET / HTTP/1.0\r\n", true)]
    [InlineData("GET / HTTP/1.1\r\nHost: mine.example\r\n", true)]
    [InlineData("GET / HTTP/1.1\r\nHost: mine.example.:1234\r\n", true)]
    [InlineData("GET / HTTP/1.1\r\nHost: other.example:99\r\n", true)]
    [InlineData("GET / HTTP/1.1\r\nHost: other.example\r\n", false)]
    [InlineData("GET / HTTP/1.1\r\nHost: evil.example\r\n", false)]
    [InlineData("GET / HTTP/1.1\r\nHost: evil.example:PORT\r\n", false)]
    [InlineData("GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n", false)]
    [InlineData("GET / HTTP/1.1\r\nHost: user@127.0.0.1:PORT\r\n", false)]
    [InlineData("GET / HTTP/1.1\r\nHost:\r\n", false)]
    [InlineData("GET / HTTP/1.1\r\n", false)]
    [InlineData("GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n", false)]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: evil.example\r\n", false)]
    [InlineData("TRACE / HTTP/1.1\r\nHost: evil.example\r\nMax-Forwards: 0\r\n", false)]
    [InlineData("POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nOrigin: http://127.0.0.1:PORT\r\n", true)]
    [InlineData("POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nOrigin: https://mine.example\r\n", true)]
    [InlineData("POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nOrigin: http://evil.example\r\n", false)]
    [InlineData("POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nOrigin: http://localhost:1\r\n", false)]
    [InlineData("POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nOrigin: null\r\n", false)]
    [InlineData("GET / HTTP/1.0\r\nOrigin: http://evil.example\r\n", false)]
    [InlineData("GET /a.png HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", false)]
    [InlineData("GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", true)]
    [InlineData("GET /a.png HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: no-cors\r\n", true)]
    public async Task Without_a_password_it_answers_for_its_own_address_and_the_names_it_was_given(string head, bool served)
    {
        await using var service = Service.Answering(Ok);
        await using var run = await ProxyRun.StartAsync(service, configure: options =>
        {
            options.Target = new Uri("http://instance1.testdom");
            options.ProxyHosts = ["mine.example", "other.example:99"];
        });

        var answer = await run.AskAsync(head.Replace("PORT", $"{run.EndPoint.Port}", StringComparison.Ordinal) + "\r\n");

        Assert.StartsWith(served ? "HTTP/1.1 200 " : "HTTP/1.1 403 ", answer, StringComparison.Ordinal);
        Assert.Equal(served ? 1 : 0, service.Heads.Count);
    }

    [Fact]
    public async Task With_a_password_or_without_a_target_any_host_may_be_named()
    {
        await using var service = Service.Answering(Ok);
        await using var locked = await ProxyRun.StartAsync(service, configure: options =>
        {
            options.Target = new Uri("http://instance1.testdom");
            options.Password = "secret";
        });
        await using var open = await ProxyRun.StartAsync(service);

        var first = await locked.AskAsync(
            "GET / HTTP/1.1\r\nHost: any.example\r\nOrigin: http://evil.example\r\nProxy-Authorization: Basic d2hpcHByb3h5OnNlY3JldA==\r\n\r\n");
        var second = await open.AskAsync("GET http://instance1.testdom/ HTTP/1.1\r\nHost: any.example\r\nOrigin: http://evil.example\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 ", first, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", second, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/a/../b", "/base/a/../b")]
    [InlineData("/a/%2E%2e/b?../../c", "/base/a/%2E%2e/b?../../c")]
    [InlineData("/..a/...", "/base/..a/...")]
    [InlineData("/a%2fb", "/base/a%2fb")]
    [InlineData("/..")]
    [InlineData("/../secret")]
    [InlineData("/a/../../secret")]
    [InlineData("//../secret")]
    [InlineData("/./../secret")]
    [InlineData("/%2e%2e/secret")]
    [InlineData("/.%2E/secret")]
    [InlineData("/%252e%252e/secret")]
    [InlineData("/..%2fsecret")]
    [InlineData("/a%2f../../../secret")]
    [InlineData("/a%2fb/../../secret")]
    [InlineData("/..\\secret")]
    [InlineData("/..%5csecret")]
    [InlineData("/a\\b/../../secret")]
    [InlineData("/..;a=b/secret")]
    [InlineData("http://127.0.0.1:PORT/../secret")]
    public async Task The_path_of_the_target_cannot_be_left(string path, string? sent = null)
    {
        await using var service = Service.Answering(Ok);
        await using var run = await ProxyRun.StartAsync(service, configure: options => options.Target = new Uri("http://instance1.testdom/base"));
        var port = $"{run.EndPoint.Port}";

        var answer = await run.AskAsync($"GET {path.Replace("PORT", port, StringComparison.Ordinal)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");

        Assert.StartsWith(sent is null ? "HTTP/1.1 400 " : "HTTP/1.1 200 ", answer, StringComparison.Ordinal);
        Assert.Equal(sent is null ? [] : [$"GET {sent} HTTP/1.1"], service.Heads.Select(head => head.Split("\r\n")[0]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_certificate_of_an_https_target_is_judged_by_the_CAs_of_its_file(bool known)
    {
        await using var service = Service.Start(async leg =>
        {
            await leg.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions { ServerCertificate = TestCertificates.Shared.BrokerIdentity.Certificate }, default);
            await Wire.ReadHeadAsync(leg);
            await leg.SendAsync(Ok);
        });
        using var folder = new TempFolder();
        var cas = known ? TestCertificates.Shared.Roots : new Certificates("another CA").Roots;
        await using var run = await ProxyRun.StartAsync(configure: options =>
        {
            options.Target = new Uri("https://localhost:4443");
            options.TargetCaCertPath = folder.Write("ca.pem", cas[0].ExportCertificatePem());
        });
        run.Dialer.Map("localhost:4443", service.EndPoint);

        var answer = await run.AskAsync($"GET / HTTP/1.1\r\nHost: 127.0.0.1:{run.EndPoint.Port}\r\n\r\n");

        Assert.StartsWith(known ? "HTTP/1.1 200 " : "HTTP/1.1 502 ", answer, StringComparison.Ordinal);
    }
}
