using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Whip.Hosting.Metrics;

namespace Whip.Hosting.Health;

/// <summary>The three pages; anything else is 404.</summary>
internal sealed class MetricsApplication(IMetricFactory metrics, Func<bool> isReady) : IHttpApplication<HttpContext>
{
    public const string MetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        var response = context.Response;
        var reads = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
        switch (reads ? context.Request.Path.Value : null)
        {
            case "/metrics":
                response.ContentType = MetricsContentType;
                await metrics.WriteAsync(response.Body, context.RequestAborted);
                break;
            case "/healthz":
                await AnswerAsync(response, StatusCodes.Status200OK, "ok\n");
                break;
            case "/readyz":
                await (isReady()
                    ? AnswerAsync(response, StatusCodes.Status200OK, "ready\n")
                    : AnswerAsync(response, StatusCodes.Status503ServiceUnavailable, "not ready\n"));
                break;
            default:
                await AnswerAsync(response, StatusCodes.Status404NotFound, "only /metrics, /healthz and /readyz are served here\n");
                break;
        }
    }

    private static Task AnswerAsync(HttpResponse response, int status, string text)
    {
        response.StatusCode = status;
        response.ContentType = "text/plain; charset=utf-8";
        return response.WriteAsync(text);
    }
}
