using System.Net;
using System.Text.Json.Nodes;
using Whip.Broker;

namespace Whip.Tests.Broker.Admin;

/// <summary>Requests to the admin listener of a broker of this process.</summary>
internal static class AdminRequests
{
    public const string Token = "0123456789abcdef";

    public static Task<TestBroker> StartAsync(bool tls = false, Action<WhipBrokerOptions>? configure = null) => TestBroker.StartAsync(tls, options =>
    {
        options.AdminListen = "127.0.0.1:0";
        configure?.Invoke(options);
    });

    public static async Task<(HttpStatusCode Status, string Text)> AskAsync(
        this TestBroker broker, string path, HttpMethod? method = null, params (string Name, string Value)[] headers)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, new Uri($"http://127.0.0.1:{broker.Broker.AdminEndPoint!.Port}{path}"));
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        using var response = await http.SendAsync(request).WaitAsync(Patience.Long);
        return (response.StatusCode, await response.Content.ReadAsStringAsync().WaitAsync(Patience.Long));
    }

    public static async Task<JsonNode> ReadAsync(this TestBroker broker, string path)
    {
        var (status, text) = await broker.AskAsync(path);
        Assert.True(status == HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }
}
