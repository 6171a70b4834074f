using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Whip.Protocol.Admin;
using Whip.Protocol.Names;

namespace Whip.Broker.Admin;

/// <summary>The pages of the admin API, and Orleans' own. All of them read; one that changes something would be POST. A refusal is one line of text.</summary>
internal sealed class AdminApplication(AdminGuard guard, BrokerParts broker, TimeProvider time) : IHttpApplication<HttpContext>
{
    private const string DashboardPath = "/dashboard";
    private const int DefaultLimit = 1000;
    private const int MaxDialerNames = 16;

    private readonly StatusView _status = new(broker, time);
    private readonly StreamsView _streams = new(broker);
    private readonly ExplainView _explain = new(broker, time);

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    public Task ProcessRequestAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (guard.Refuse(context) is { } refusal)
        {
            return RefuseAsync(context.Response, refusal.Status, refusal.Problem);
        }

        if (context.Request.Path.StartsWithSegments(DashboardPath) && broker.Cluster is { } cluster)
        {
            return cluster.Dashboard is { } dashboard
                ? dashboard(context)
                : RefuseAsync(context.Response, StatusCodes.Status503ServiceUnavailable, "this broker is not a silo now; it tries to become one");
        }

        Func<HttpContext, Task>? page = context.Request.Path.Value switch
        {
            "/api/status" => ShowStatusAsync,
            "/api/clients" => ShowClientsAsync,
            "/api/explain" => ExplainAsync,
            _ => null,
        };
        if (page is null)
        {
            return RefuseAsync(context.Response, StatusCodes.Status404NotFound, "only /api/status, /api/clients and /api/explain are served here");
        }

        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            return RefuseAsync(context.Response, StatusCodes.Status405MethodNotAllowed, "this page is read with GET");
        }

        return page(context);
    }

    private Task ShowStatusAsync(HttpContext context) => AnswerAsync(context.Response, _status.Read(), AdminJson.Default.BrokerStatus);

    private Task ShowClientsAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var domain = "";
        if (query.TryGetValue("domain", out var wanted) && !DnsName.TryNormalize(wanted.ToString(), out domain))
        {
            return RefuseAsync(context.Response, StatusCodes.Status400BadRequest, $"domain \"{Printable.Clean(wanted)}\" is not a DNS name");
        }

        var limit = DefaultLimit;
        if (query.TryGetValue("limit", out var most) && !IsNumber(most, ClientList.MaxLimit, out limit))
        {
            return RefuseAsync(context.Response, StatusCodes.Status400BadRequest, $"limit \"{Printable.Clean(most)}\" is not from 1 to {ClientList.MaxLimit}");
        }

        return AnswerAsync(context.Response, _streams.List(domain, limit), AdminJson.Default.ClientList);
    }

    private async Task ExplainAsync(HttpContext context)
    {
        var query = context.Request.Query;
        if (!DnsName.TryNormalize(query["name"].ToString(), out var name))
        {
            await RefuseAsync(context.Response, StatusCodes.Status400BadRequest, $"name \"{Printable.Clean(query["name"])}\" is not a DNS name");
        }
        else if (!IsNumber(query["port"], 65535, out var port))
        {
            await RefuseAsync(context.Response, StatusCodes.Status400BadRequest, $"port \"{Printable.Clean(query["port"])}\" is not from 1 to 65535");
        }
        else if (query["dialer"].Count > MaxDialerNames)
        {
            await RefuseAsync(context.Response, StatusCodes.Status400BadRequest, $"a dialer has at most {MaxDialerNames} names here");
        }
        else if (await _explain.ExplainAsync(name, port, [.. query["dialer"].Select(dialer => Printable.Clean(dialer))], context.RequestAborted) is { } explanation)
        {
            await AnswerAsync(context.Response, explanation, AdminJson.Default.NameExplanation);
        }
        else
        {
            await RefuseAsync(context.Response, StatusCodes.Status504GatewayTimeout, "the other brokers did not answer in time");
        }
    }

    private static bool IsNumber(string? text, int max, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= 1 && number <= max;

    private static Task AnswerAsync<T>(HttpResponse response, T answer, JsonTypeInfo<T> type)
    {
        response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(response.Body, answer, type);
    }

    private static Task RefuseAsync(HttpResponse response, int status, string problem)
    {
        response.StatusCode = status;
        response.ContentType = "text/plain; charset=utf-8";
        if (status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = AdminToken.Challenge;
        }

        return response.WriteAsync(problem + "\n");
    }
}
