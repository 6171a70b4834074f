// An ASP.NET Core app that is reached by its registered name, and listens nowhere. The walk-through of the readme makes the broker and the certificates:
//
//   dotnet run --project ~/whip/samples/HelloWhip
//
// in its folder serves http://hello.testdom/ to whoever dials by that broker. `--broker HOST:PORT` and `--cert`, `--key` and `--ca` name others.
using System.Net.WebSockets;
using System.Security.Claims;
using HelloWhip;
using Microsoft.AspNetCore.Authorization;
using Whip.AspNetCore;
using Whip.AspNetCore.Authentication;
using Whip.Protocol.Tls;

var builder = WebApplication.CreateBuilder(args);
var settings = builder.Configuration;
builder.WebHost.UseWhip(options =>
{
    (options.Hostname, options.Domain) = ("hello", "testdom");
    options.Ports.Add(80);
    options.Endpoints.Add(settings["broker"] ?? "localhost:50051");
    options.Tls = new WhipTlsOptions
    {
        CertPath = settings["cert"] ?? "agent-cert.pem",
        KeyPath = settings["key"] ?? "agent-key.pem",
        CaCertPath = settings["ca"] ?? "ca-cert.pem",
    };
});
builder.Services.AddAuthentication().AddWhip();
builder.Services.AddAuthorizationBuilder().AddPolicy("dialers", policy => policy.RequireDialer("*.dialers"));
builder.Services.AddGrpc();

var app = builder.Build();
app.UseWebSockets();
app.MapGet("/", (HttpContext context) => $"Hello from {context.Features.Get<IWhipDialFeature>()?.Name}\n");
app.MapGet("/me", [Authorize] (ClaimsPrincipal user) => $"You are {user.Identity!.Name}\n");
app.MapGet("/secret", [Authorize("dialers")] () => "You may dial\n");
app.Map("/echo", EchoAsync);
app.MapGrpcService<GreeterService>();
await app.RunAsync();

static async Task EchoAsync(HttpContext context)
{
    if (!context.WebSockets.IsWebSocketRequest)
    {
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        return;
    }

    using var socket = await context.WebSockets.AcceptWebSocketAsync();
    var buffer = new byte[16 * 1024];
    while (await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } read)
    {
        await socket.SendAsync(buffer.AsMemory(0, read.Count), read.MessageType, read.EndOfMessage, context.RequestAborted);
    }

    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", context.RequestAborted);
}
