using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Whip.Tests.Agent.ControlStreams;

/// <summary>An agent at HTTP/2 servers that answer as no broker does, or break off: one log line says what it met, and it retries.</summary>
public sealed class StrangeServerTests : AgentTest
{
    [Theory]
    [InlineData(404, "Unimplemented: Bad gRPC response. HTTP status code: 404; is this the gRPC port of a broker?")]
    [InlineData(503, "Unavailable: Bad gRPC response. HTTP status code: 503")]
    [InlineData(200, "Bad gRPC response. Invalid content-type value: text/html")]
    public async Task An_HTTP_answer_is_named_in_the_log(int http, string expected) => Assert.Contains(expected, await LossAsync(async context =>
    {
        context.Response.StatusCode = http;
        context.Response.ContentType = "text/html";
        await context.Response.WriteAsync("<html>");
    }));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_that_is_cut_is_Unavailable(bool afterHead) => Assert.Contains("Unavailable: ", await LossAsync(async context =>
    {
        await HeadAsync(context, afterHead);
        context.Features.GetRequiredFeature<IConnectionLifetimeFeature>().Abort();
    }));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reset_is_the_status_of_its_error(bool afterHead) => Assert.Contains("ResourceExhausted: ", await LossAsync(async context =>
    {
        await HeadAsync(context, afterHead);
        context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(0xB);
    }));

    [Theory]
    [InlineData("0000010001", "ResourceExhausted: ")]
    [InlineData("00000000020A7F", "protocol message")]
    [InlineData("0000000002", "Internal: ")]
    public async Task A_bad_message_ends_the_stream(string bytes, string expected) => Assert.Contains(expected, await LossAsync(async context =>
    {
        await HeadAsync(context, isWanted: true);
        await context.Response.Body.WriteAsync(Convert.FromHexString(bytes));
    }));

    /// <summary>An original server sends its head with its first message, which is a ping after 20 seconds.</summary>
    [Fact]
    public async Task A_late_head_holds_up_neither_the_registration_nor_the_agent()
    {
        var answer = new TaskCompletionSource();
        var registered = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(async context =>
        {
            registered.TrySetResult(await context.Request.Body.ReadAsync(new byte[100]));
            await answer.Task;
        });
        var agent = await StartAgentAsync(server);
        Assert.InRange(await registered.Task.WaitAsync(Patience.Long), 5, 100);
        await Patience.UntilAsync(() => agent.IsReady, "readiness");
        answer.SetResult();
    }

    [Fact]
    public async Task A_server_that_goes_away_is_Unavailable()
    {
        await using var server = await StartAsync(async context =>
        {
            await HeadAsync(context, isWanted: true);
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        var agent = await StartAgentAsync(server);
        await Patience.UntilAsync(() => agent.IsReady, "readiness");
        await server.StopAsync(new CancellationToken(canceled: true)).WaitAsync(Patience.Long);
        Assert.Contains("Unavailable: ", (await Logs.WaitForAsync("Lost")).Message);
    }

    private async Task<string> LossAsync(RequestDelegate answer)
    {
        await using var server = await StartAsync(answer);
        await StartAgentAsync(server);
        return (await Logs.WaitForAsync("Lost")).Message;
    }

    private Task<Whip.Agent.WhipAgent> StartAgentAsync(WebApplication server) => StartAgentAsync([new Uri(server.Urls.Single()).Authority]);

    private static async Task<WebApplication> StartAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        var server = builder.Build();
        server.Run(answer);
        await server.StartAsync().WaitAsync(Patience.Long);
        return server;
    }

    private static async Task HeadAsync(HttpContext context, bool isWanted)
    {
        if (isWanted)
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.FlushAsync();
        }
    }
}
