using System.Net;
using System.Net.Http.Headers;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Hosting.Grpc;

/// <summary>Requests no gRPC client would send.</summary>
public sealed class ControlServerWireTests
{
    private static readonly byte[] Register = GrpcWire.Frame(new RequestStream { Register = new Register { Hostname = "h" } });

    [Theory]
    [InlineData("/v1.Whip/Other", "application/grpc")]
    [InlineData("/", "application/grpc+proto")]
    [InlineData("/v1.whip/register", "application/grpc")]
    public async Task An_unknown_method_is_Unimplemented_in_a_response_without_a_body(string path, string contentType)
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        using var response = await SendAsync(host, path, contentType);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/grpc", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(GrpcStatusCode.Unimplemented, Status(response.Headers));
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("application/json", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/grpc+json", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/grpcx", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/grpc; charset=utf-8", HttpStatusCode.OK)]
    public async Task Another_content_type_is_415(string contentType, HttpStatusCode expected)
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        var sending = SendAsync(host, GrpcMethods.Register.Path, contentType);
        if (expected == HttpStatusCode.OK)
        {
            (await host.Service.NextAsync()).End.SetResult(GrpcStatus.Ok);
        }

        using var response = await sending;
        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task A_GET_is_told_what_is_served()
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        using var client = NewClient();
        using var response = await client.GetAsync($"http://{host.Server.LocalEndPoint}/").WaitAsync(Patience.Long);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Contains("only gRPC is served here", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("grpc-encoding", "gzip", nameof(GrpcStatusCode.Unimplemented))]
    [InlineData("grpc-timeout", "soon", nameof(GrpcStatusCode.InvalidArgument))]
    public async Task A_bad_header_is_refused(string name, string value, string expected)
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        using var response = await SendAsync(host, GrpcMethods.Register.Path, GrpcWire.ContentType, name, value);
        Assert.Equal(Enum.Parse<GrpcStatusCode>(expected), Status(response.Headers));
        Assert.Equal("identity", response.Headers.GetValues("grpc-accept-encoding").Single());
    }

    [Theory]
    [InlineData("0000000004", nameof(GrpcStatusCode.InvalidArgument))]
    [InlineData("00000000020A7F", nameof(GrpcStatusCode.InvalidArgument))]
    [InlineData("00FFFFFFFF", nameof(GrpcStatusCode.ResourceExhausted))]
    [InlineData("0100000000", nameof(GrpcStatusCode.Internal))]
    public async Task A_bad_message_is_the_status_the_service_is_told(string bytes, string expected)
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        var sending = SendAsync(host, GrpcMethods.Register.Path, GrpcWire.ContentType, body: Convert.FromHexString(bytes));
        var call = await host.Service.NextAsync();
        call.End.SetException(await Assert.ThrowsAsync<GrpcStatusException>(call.ReadAsync));

        using var response = await sending;
        await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(Enum.Parse<GrpcStatusCode>(expected), Status(response.TrailingHeaders));
    }

    [Fact]
    public async Task A_deadline_ends_the_call_though_the_client_waits()
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        using var response = await SendAsync(host, GrpcMethods.Register.Path, GrpcWire.ContentType, "grpc-timeout", "50m");
        await response.Content.ReadAsByteArrayAsync().WaitAsync(Patience.Long);
        Assert.Equal(GrpcStatusCode.DeadlineExceeded, Status(response.TrailingHeaders));
    }

    [Fact]
    public async Task A_service_that_throws_is_Internal_and_an_error_in_the_log()
    {
        await using var host = await ControlHost.StartAsync(tls: false);
        host.Logs.Expect("ServiceFailed");
        var sending = SendAsync(host, GrpcMethods.Register.Path, GrpcWire.ContentType);
        (await host.Service.NextAsync()).End.SetException(new InvalidOperationException("a bug"));
        using var response = await sending;
        await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(GrpcStatusCode.Internal, Status(response.TrailingHeaders));
        Assert.DoesNotContain("a bug", response.TrailingHeaders.ToString());
        await host.Logs.WaitForAsync("ServiceFailed");
    }

    private static async Task<HttpResponseMessage> SendAsync(
        ControlHost host, string path, string contentType, string? header = null, string? value = null, byte[]? body = null)
    {
        using var client = NewClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{host.Server.LocalEndPoint}{path}");
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        request.Content = new ByteArrayContent(body ?? Register);
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        if (header is not null)
        {
            request.Headers.Add(header, value);
        }

        return await client.SendAsync(request).WaitAsync(Patience.Long);
    }

    private static GrpcStatusCode Status(HttpResponseHeaders headers) => (GrpcStatusCode)int.Parse(headers.GetValues("grpc-status").Single());

    private static HttpClient NewClient() => new()
    {
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };
}
