using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Whip.Protocol.Grpc;
using Whip.Protocol.Messages;
using Whip.Tests.Support;
using Xunit;

namespace Whip.Tests.Hosting.Grpc;

/// <summary>Our call at HTTP/2 servers that answer as no gRPC server should, or break off.</summary>
public sealed class StrangeServerTests
{
    [Theory]
    [InlineData(400, nameof(GrpcStatusCode.Internal))]
    [InlineData(401, nameof(GrpcStatusCode.Unauthenticated))]
    [InlineData(403, nameof(GrpcStatusCode.PermissionDenied))]
    [InlineData(404, nameof(GrpcStatusCode.Unimplemented))]
    [InlineData(429, nameof(GrpcStatusCode.Unavailable))]
    [InlineData(503, nameof(GrpcStatusCode.Unavailable))]
    [InlineData(302, nameof(GrpcStatusCode.Unknown))]
    [InlineData(200, nameof(GrpcStatusCode.Unknown))]
    public async Task An_HTTP_answer_is_the_status_of_the_table(int http, string expected)
    {
        var status = await EndAsync(async context =>
        {
            context.Response.StatusCode = http;
            context.Response.ContentType = "text/html";
            await context.Response.WriteAsync("<html>");
        });
        Assert.Equal(expected, status.Code.ToString());
        Assert.Contains($"HTTP {http}, content type text/html", status.Message);
    }

    [Theory]
    [InlineData(0x0, nameof(GrpcStatusCode.Internal))]
    [InlineData(0x1, nameof(GrpcStatusCode.Internal))]
    [InlineData(0x2, nameof(GrpcStatusCode.Internal))]
    [InlineData(0x7, nameof(GrpcStatusCode.Unavailable))]
    [InlineData(0x8, nameof(GrpcStatusCode.Cancelled))]
    [InlineData(0xB, nameof(GrpcStatusCode.ResourceExhausted))]
    [InlineData(0xC, nameof(GrpcStatusCode.PermissionDenied))]
    public async Task A_reset_is_the_status_of_the_table(int error, string expected)
    {
        Assert.Equal(expected, (await EndAsync(context => ResetAsync(context, error))).Code.ToString());
        Assert.Equal(expected, (await EndAsync(async context =>
        {
            await HeadAsync(context);
            await ResetAsync(context, error);
        })).Code.ToString());
    }

    [Fact]
    public async Task A_response_that_is_only_its_head_carries_the_status()
    {
        var status = await EndAsync(context =>
        {
            context.Response.ContentType = "application/grpc";
            context.Response.Headers["grpc-status"] = "8";
            context.Response.Headers["grpc-message"] = "too%20many";
            return Task.CompletedTask;
        });
        Assert.Equal(new GrpcStatus(GrpcStatusCode.ResourceExhausted, "too many"), status);
    }

    [Fact]
    public async Task A_response_without_a_status_is_Unknown() => Assert.Equal(GrpcStatusCode.Unknown, (await EndAsync(HeadAsync)).Code);

    [Theory]
    [InlineData("0000010001", nameof(GrpcStatusCode.ResourceExhausted))]
    [InlineData("0100000000", nameof(GrpcStatusCode.Internal))]
    [InlineData("00000000020A7F", nameof(GrpcStatusCode.Internal))]
    [InlineData("0000000002", nameof(GrpcStatusCode.Internal))]
    public async Task A_bad_message_ends_the_call_here(string bytes, string expected)
    {
        var status = await EndAsync(async context =>
        {
            await HeadAsync(context);
            await context.Response.Body.WriteAsync(Convert.FromHexString(bytes));
        });
        Assert.Equal(expected, status.Code.ToString());
    }

    [Fact]
    public async Task An_encoding_that_was_not_offered_is_Internal()
    {
        var status = await EndAsync(context =>
        {
            context.Response.Headers["grpc-encoding"] = "gzip";
            return HeadAsync(context);
        });
        Assert.Equal(GrpcStatusCode.Internal, status.Code);
    }

    [Fact]
    public async Task A_connection_that_is_cut_is_Unavailable()
    {
        Assert.Equal(GrpcStatusCode.Unavailable, (await EndAsync(CutAsync)).Code);
        Assert.Equal(GrpcStatusCode.Unavailable, (await EndAsync(async context =>
        {
            await HeadAsync(context);
            await CutAsync(context);
        })).Code);
    }

    [Fact]
    public async Task A_late_head_holds_up_neither_open_nor_writes()
    {
        var answer = new TaskCompletionSource();
        await using var server = await StartAsync(async context =>
        {
            var frame = new byte[GrpcWire.PrefixSize + 4];
            await context.Request.Body.ReadExactlyAsync(frame);
            Assert.Equal(GrpcWire.Frame(new RequestStream { Pong = new Pong { Sequence = 1 } }), frame);
            await answer.Task;
            await HeadAsync(context);
            context.Response.AppendTrailer("grpc-status", "0");
        });
        await using var call = await OpenAsync(server);
        await call.WriteAsync(new RequestStream { Pong = new Pong { Sequence = 1 } }, CancellationToken.None).AsTask().WaitAsync(Patience.Long);
        answer.SetResult();
        Assert.Null(await call.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience.Long));
    }

    [Fact]
    public async Task Dispose_before_the_head_is_a_reset_and_no_end()
    {
        var reading = new TaskCompletionSource<Task<int>>();
        await using var server = await StartAsync(async context =>
        {
            var read = context.Request.Body.ReadAsync(new byte[1]).AsTask();
            reading.SetResult(read);
            await read;
        });
        var call = await OpenAsync(server);
        var read = await reading.Task.WaitAsync(Patience.Long);
        await call.DisposeAsync().AsTask().WaitAsync(Patience.Long);
        await Assert.ThrowsAnyAsync<IOException>(() => read.WaitAsync(Patience.Long));
    }

    [Fact]
    public async Task A_server_that_goes_away_is_Unavailable()
    {
        await using var server = await StartAsync(async context =>
        {
            await HeadAsync(context);
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var call = await OpenAsync(server);
        var reading = call.ReadAsync(CancellationToken.None).AsTask();
        await server.StopAsync(new CancellationToken(canceled: true)).WaitAsync(Patience.Long);
        var end = await Assert.ThrowsAsync<GrpcStatusException>(() => reading.WaitAsync(Patience.Long));
        Assert.Equal(GrpcStatusCode.Unavailable, end.Status.Code);
    }

    private static async Task<GrpcStatus> EndAsync(RequestDelegate answer)
    {
        await using var server = await StartAsync(answer);
        var end = await Assert.ThrowsAsync<GrpcStatusException>(async () =>
        {
            await using var call = await OpenAsync(server);
            await call.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Patience.Long);
        });
        return end.Status;
    }

    private static async Task<WebApplication> StartAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        var server = builder.Build();
        server.Run(answer);
        await server.StartAsync().WaitAsync(Patience.Long);
        return server;
    }

    private static Task<ControlCall<RequestStream, ResponseStream>> OpenAsync(WebApplication server)
    {
        var uri = new Uri(server.Urls.Single());
        var options = new ControlCallOptions(new IPEndPoint(IPAddress.Loopback, uri.Port), uri.Authority, null, Patience.Long);
        return ControlCall<RequestStream, ResponseStream>.OpenAsync(GrpcMethods.Register, options, CancellationToken.None).WaitAsync(Patience.Long);
    }

    private static async Task HeadAsync(HttpContext context)
    {
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.FlushAsync();
    }

    private static Task ResetAsync(HttpContext context, int error)
    {
        context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(error);
        return Task.CompletedTask;
    }

    private static Task CutAsync(HttpContext context)
    {
        context.Features.GetRequiredFeature<IConnectionLifetimeFeature>().Abort();
        return Task.CompletedTask;
    }
}
