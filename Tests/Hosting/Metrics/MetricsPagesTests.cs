using System.Net;
using System.Net.Sockets;
using System.Text;
using Whip.Hosting.Listening;
using Whip.Hosting.Metrics;

namespace Whip.Tests.Hosting.Metrics;

public sealed class MetricsPagesTests
{
    private const string Healthz = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

    [Theory]
    [InlineData("GET", "/healthz", false, 200, "ok\n")]
    [InlineData("GET", "/readyz", true, 200, "ready\n")]
    [InlineData("GET", "/readyz", false, 503, "not ready\n")]
    [InlineData("HEAD", "/readyz?verbose", false, 503, "")]
    [InlineData("GET", "/", true, 404, "only /metrics, /healthz and /readyz are served here\n")]
    [InlineData("GET", "/metrics/x", true, 404, "only /metrics, /healthz and /readyz are served here\n")]
    [InlineData("POST", "/metrics", true, 404, "only /metrics, /healthz and /readyz are served here\n")]
    public async Task Three_pages_and_nothing_else(string method, string path, bool ready, int status, string body)
    {
        using var logs = new CapturedLogs();
        await using var pages = await StartAsync(logs, () => ready);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri($"http://{pages.LocalEndPoint}{path}"));
        using var response = await http.SendAsync(request).WaitAsync(Patience.Long);
        Assert.Equal((HttpStatusCode)status, response.StatusCode);
        Assert.Equal(body, await response.Content.ReadAsStringAsync().WaitAsync(Patience.Long));
        Assert.Empty(response.Headers.Server);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public async Task Readiness_is_a_metric_as_well(bool ready, int value)
    {
        using var logs = new CapturedLogs();
        await using var pages = await StartAsync(logs, () => ready);
        using var http = new HttpClient();
        Assert.Contains($"\nwhip_ready {value}\n", await http.GetStringAsync(new Uri($"http://{pages.LocalEndPoint}/metrics")).WaitAsync(Patience.Long));
    }

    [Fact]
    public async Task A_client_that_has_finished_sending_is_answered()
    {
        using var logs = new CapturedLogs();
        await using var pages = await StartAsync(logs, () => true);
        for (var i = 0; i < 20; i++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(pages.LocalEndPoint);
            using var reader = new StreamReader(client.GetStream());
            await reader.BaseStream.WriteAsync("GET /readyz HTTP/1.0\r\n\r\n"u8.ToArray());
            client.Client.Shutdown(SocketShutdown.Send);
            Assert.EndsWith("\r\n\r\nready\n", await reader.ReadToEndAsync().WaitAsync(Patience.Long));
        }
    }

    [Fact]
    public async Task A_connection_that_says_nothing_does_not_keep_it_from_stopping()
    {
        using var logs = new CapturedLogs();
        var pages = await StartAsync(logs, () => true);
        using var silent = new TcpClient();
        await silent.ConnectAsync(pages.LocalEndPoint);
        await pages.DisposeAsync().AsTask().WaitAsync(Patience.Long);
    }

    [Fact]
    public async Task Idle_connections_end_for_newer_ones_so_a_probe_is_answered_at_once()
    {
        using var logs = new CapturedLogs();
        await using var pages = await StartAsync(logs, () => true);
        var idle = new List<TcpClient>();
        for (var i = 0; i < 150; i++)
        {
            idle.Add(new TcpClient());
            await idle[i].ConnectAsync(pages.LocalEndPoint);
        }

        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(1) };
        Assert.Equal("ok\n", await http.GetStringAsync(new Uri($"http://{pages.LocalEndPoint}/healthz")));
        await Patience.UntilAsync(() => idle[0].Client.Poll(0, SelectMode.SelectRead), "the end of the oldest");
        Assert.False(idle[149].Client.Poll(0, SelectMode.SelectRead));
        Assert.Single(logs.Records, record => record.Message.Contains("metrics listener", StringComparison.Ordinal));
        idle.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task A_head_and_the_time_until_the_next_one_have_a_limit()
    {
        using var logs = new CapturedLogs();
        await using var pages = await StartAsync(logs, () => true);

        // Kestrel's own limits are 130 and 30 seconds.
        await Task.WhenAll(UntilEndedAsync(""), UntilEndedAsync("GET /healthz HTTP/1.1\r\nHo"), UntilEndedAsync(Healthz)).WaitAsync(Patience.Long);

        async Task UntilEndedAsync(string sent)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(pages.LocalEndPoint);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(sent));
            await client.GetStream().CopyToAsync(Stream.Null);
        }
    }

    private static Task<WebPages> StartAsync(CapturedLogs logs, Func<bool> isReady)
    {
        var registry = Prometheus.Metrics.NewCustomRegistry();
        return WebPages.StartAsync(
            new PortKind("metrics", "the metrics port of whip-x (--metrics-listen)", Visitor.Browser),
            new IPEndPoint(IPAddress.Loopback, 0), app => MetricsPages.Map(app, registry, isReady),
            Descriptors.Many, logs, TimeProvider.System, CancellationToken.None);
    }
}
