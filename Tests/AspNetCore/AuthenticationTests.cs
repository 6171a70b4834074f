using System.Net;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Whip.AspNetCore;
using Whip.AspNetCore.Authentication;
using Whip.Protocol.Dialing;

namespace Whip.Tests.AspNetCore;

/// <summary>What an app knows of its dialers, and decides by it.</summary>
public sealed class AuthenticationTests
{
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task The_feature_tells_who_dials_and_what(string version)
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var app = await DialedApp.StartAsync(
            broker,
            tls: true,
            map =>
            {
                map.MapGet("/", (HttpContext context) => JsonSerializer.Serialize(context.Features.Get<IWhipDialFeature>()));
                map.MapGet("/address", (HttpContext context) => $"{context.Connection.RemoteIpAddress} {context.Connection.RemotePort > 0}");
            },
            change: options => options.Ports = [80, 81]);
        foreach (var (dialer, port) in (IEnumerable<(string, int)>)[("alice.dialers", 80), ("bob.dialers", 81)])
        {
            var dial = JsonDocument.Parse(await app.Client(dialer, new Version(version), port).GetStringAsync("/")).RootElement;
            Assert.Equal([dialer], dial.GetProperty("DialerNames").EnumerateArray().Select(name => name.GetString()));
            Assert.Equal(("web.testdom", "web.testdom"), (dial.GetProperty("Name").GetString(), dial.GetProperty("DialledName").GetString()));
            Assert.Equal(port, dial.GetProperty("Port").GetInt32());
            Assert.Matches("^[0-9a-fA-F]+:[0-9a-fA-F]+$", dial.GetProperty("DialerId").GetString());
        }

        var client = app.Client(version: new Version(version));
        Assert.Contains("\"DialledName\":\"testdom\",\"Name\":\"web.testdom\"", await client.GetStringAsync("http://testdom:80/"));
        Assert.Equal("127.0.0.1 True", await client.GetStringAsync("/address"));
    }

    [Fact]
    public async Task Authorize_and_policies_decide_by_the_dialers_certificate()
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var app = await DialedApp.StartAsync(broker, tls: true, Map, Build);
        var (alice, bob, eve) = (app.Client("alice.dialers"), app.Client("bob.dialers"), app.Client("eve.strangers"));
        Assert.Equal("alice.dialers", await alice.GetStringAsync("/anybody"));
        Assert.Equal("eve.strangers", await eve.GetStringAsync("/anybody"));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.Forbidden), await StatusesAsync("/dialers"));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), await StatusesAsync("/alice"));

        async Task<(HttpStatusCode Alice, HttpStatusCode Bob, HttpStatusCode Eve)> StatusesAsync(string path) =>
            (await StatusAsync(alice, path), await StatusAsync(bob, path), await StatusAsync(eve, path));
    }

    [Fact]
    public async Task Without_a_certificate_and_without_a_dial_a_request_is_anonymous()
    {
        await using var broker = await TestBroker.StartAsync(tls: false);
        await using var app = await DialedApp.StartAsync(broker, tls: false, Map, builder =>
        {
            Build(builder);
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        });
        using var direct = new HttpClient { BaseAddress = new Uri(app.App.Urls.Single(url => url.Contains("127.0.0.1", StringComparison.Ordinal))) };
        foreach (var client in (HttpClient[])[app.Client(), direct])
        {
            foreach (var path in (string[])["/anybody", "/dialers", "/alice"])
            {
                Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, path));
            }
        }
    }

    [Fact]
    public async Task A_dialer_that_the_options_do_not_allow_never_reaches_the_app()
    {
        await using var broker = await TestBroker.StartAsync(tls: true);
        await using var app = await DialedApp.StartAsync(
            broker, tls: true, map => map.MapGet("/", () => "hello"), change: options => options.AllowDialers = ["alice.*"]);
        Assert.Equal("hello", await app.Client("alice.dialers").GetStringAsync("/"));
        var refused = await app.Dialer("bob.dialers").TryDialAsync(new DialRequest(DialedApp.Name, DialedApp.Port));
        Assert.Equal(DialOutcome.AgentFailed, refused.Outcome);
        Assert.Contains("dialer: not allowed", refused.Reason);
    }

    [Fact]
    public async Task A_name_that_another_scheme_has_given_is_not_a_dialers()
    {
        var policy = new AuthorizationPolicyBuilder().RequireDialer("*.dialers").Build();
        var requirement = (Microsoft.AspNetCore.Authorization.Infrastructure.AssertionRequirement)policy.Requirements.Single();
        Assert.False(await JudgeAsync("LOCAL AUTHORITY"));
        Assert.True(await JudgeAsync("Whip"));
        Assert.Throws<ArgumentException>(() => new AuthorizationPolicyBuilder().RequireDialer());
        Assert.Contains("DNS name", Assert.Throws<ArgumentException>(() => new AuthorizationPolicyBuilder().RequireDialer("not a name")).Message);

        Task<bool> JudgeAsync(string issuer)
        {
            var claim = new Claim(ClaimTypes.Name, "alice.dialers", ClaimValueTypes.String, issuer);
            return requirement.Handler(new AuthorizationHandlerContext(policy.Requirements, new ClaimsPrincipal(new ClaimsIdentity([claim], "any")), null));
        }
    }

    private static void Build(WebApplicationBuilder builder)
    {
        builder.Services.AddAuthentication().AddWhip();
        builder.Services.AddAuthorizationBuilder()
            .AddPolicy("dialers", policy => policy.RequireDialer("*.dialers"))
            .AddPolicy("alice", policy => policy.RequireUserName("alice.dialers"));
    }

    private static void Map(WebApplication app)
    {
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGet("/anybody", (ClaimsPrincipal user) => user.Identity!.Name).RequireAuthorization();
        app.MapGet("/dialers", () => "").RequireAuthorization("dialers");
        app.MapGet("/alice", () => "").RequireAuthorization("alice");
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        return answer.StatusCode;
    }
}
