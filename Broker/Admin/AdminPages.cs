using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Whip.Protocol.Admin;

namespace Whip.Broker.Admin;

/// <summary>Serves the admin API and the Orleans Dashboard. Every page is read-only. A refusal is one line of text.</summary>
internal sealed class AdminPages(AdminAccess access, BrokerParts broker, AdminMetrics metrics, ILogger logger, TimeProvider time)
{
    private const string Listener = "admin";
    private const string DashboardPath = "/dashboard";
    private const int DefaultLimit = 1000;
    private const int MaxDialerNames = 16;

    private readonly LogRation _refusals = new(1, count => AdminLog.MoreRefused(logger, count), time);
    private readonly StatusView _status = new(broker, time);
    private readonly StreamsView _streams = new(broker);
    private readonly ExplainView _explain = new(broker, time);

    /// <returns>Null if the admin API is off.</returns>
    /// <exception cref="WhipOptionException">The address cannot be bound.</exception>
    public static Task<WebPages?> StartAsync(
        WhipBrokerOptions options, BrokerParts broker, PortBinder binder, DescriptorBudget descriptors, AdminMetrics metrics, ILoggerFactory loggers,
        TimeProvider time, CancellationToken cancellationToken)
    {
        var access = new AdminAccess(AdminToken.Load(options.AdminTokenPath), options.AdminHosts);
        var pages = new AdminPages(access, broker, metrics, loggers.CreateLogger("Whip.Broker"), time);
        return binder.BindAsync(
            nameof(options.AdminListen), options.AdminListen, loopbackOnly: !options.Tls.Enabled,
            endPoint => WebPages.StartAsync(broker.PortOf(Listener, Visitor.Admin), endPoint, pages.Map, descriptors, loggers, time, cancellationToken),
            cancellationToken);
    }

    private void Map(WebApplication pages)
    {
        pages.Use(CheckAsync);
        pages.UseStatusCodePages(context => Refusal(context.HttpContext.Response.StatusCode, context.HttpContext.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => "only /api/status, /api/clients and /api/explain are served here",
            StatusCodes.Status405MethodNotAllowed => "this page is read with GET",
            var status => $"status {status}",
        }).ExecuteAsync(context.HttpContext));
        Add("/api/status", _ => Task.FromResult(Json(_status.Read(), AdminJson.Default.BrokerStatus)));
        Add("/api/clients", context => Task.FromResult(Clients(context.Request.Query)));
        Add("/api/explain", ExplainAsync);

        void Add(string path, Func<HttpContext, Task<IResult>> page) =>
            pages.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], async context => await (await page(context)).ExecuteAsync(context));
    }

    /// <summary>Runs for every request, including those to unknown paths.</summary>
    private Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (access.Refuse(context) is { } refusal)
        {
            metrics.Refused(refusal.Status);
            if (_refusals.Take())
            {
                AdminLog.Refused(logger, context.Connection.RemoteIpAddress, refusal.Status);
            }

            if (refusal.Status == StatusCodes.Status401Unauthorized)
            {
                context.Response.Headers.WWWAuthenticate = AdminToken.Challenge;
            }

            return Refusal(refusal.Status, refusal.Problem).ExecuteAsync(context);
        }

        // The silo may have been replaced since the last request.
        if (context.Request.Path.StartsWithSegments(DashboardPath) && broker.Cluster is { } cluster)
        {
            var show = cluster.Dashboard
                ?? Refusal(StatusCodes.Status503ServiceUnavailable, "this broker has no silo now; retrying").ExecuteAsync;
            return show(context);
        }

        // Routing ignores a slash at the end; here the path is another one.
        if (context.Request.Path.Value!.EndsWith('/'))
        {
            context.SetEndpoint(null);
        }

        return next(context);
    }

    private IResult Clients(IQueryCollection query)
    {
        var domain = "";
        if (query.TryGetValue("domain", out var wanted) && !DnsName.TryNormalize(wanted.ToString(), out domain))
        {
            return Refusal(StatusCodes.Status400BadRequest, $"domain \"{Printable.Clean(wanted)}\" is not a DNS name");
        }

        var limit = DefaultLimit;
        return query.TryGetValue("limit", out var most) && !IsNumber(most, ClientList.MaxLimit, out limit)
            ? Refusal(StatusCodes.Status400BadRequest, $"limit \"{Printable.Clean(most)}\" is not from 1 to {ClientList.MaxLimit}")
            : Json(_streams.List(domain, limit), AdminJson.Default.ClientList);
    }

    private async Task<IResult> ExplainAsync(HttpContext context)
    {
        var query = context.Request.Query;
        if (!DialTarget.TryParse($"{query["name"]}:{query["port"]}", out var target, out var problem))
        {
            return Refusal(StatusCodes.Status400BadRequest, problem);
        }

        if (query["dialer"].Count > MaxDialerNames)
        {
            return Refusal(StatusCodes.Status400BadRequest, $"a dialer has at most {MaxDialerNames} names here");
        }

        string[] dialer = [.. query["dialer"].Select(name => Printable.Clean(name))];
        return await _explain.ExplainAsync(target, dialer, context.RequestAborted) is { } explanation
            ? Json(explanation, AdminJson.Default.NameExplanation)
            : Refusal(StatusCodes.Status504GatewayTimeout, "the other brokers did not answer in time");
    }

    private static bool IsNumber(string? text, int max, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= 1 && number <= max;

    private static IResult Json<T>(T answer, JsonTypeInfo<T> type) => Results.Json(answer, type, "application/json");

    private static IResult Refusal(int status, string problem) => Results.Text(problem + "\n", statusCode: status);
}
