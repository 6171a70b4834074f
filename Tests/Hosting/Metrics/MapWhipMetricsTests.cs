using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Prometheus;
using Whip.Hosting.Metrics;

namespace Whip.Tests.Hosting.Metrics;

public sealed class MapWhipMetricsTests
{
    [Theory]
    [InlineData(true, "# HELP whip_broker_streams Registered control streams.\n# TYPE whip_broker_streams gauge\nwhip_broker_streams 2\n")]
    [InlineData(false, "")]
    public async Task A_host_serves_the_metrics_of_what_it_embeds(bool embeds, string expected)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        if (embeds)
        {
            builder.Services.AddSingleton(Prometheus.Metrics.NewCustomRegistry());
        }

        await using var app = builder.Build();
        app.MapWhipMetrics();
        await app.StartAsync().WaitAsync(Patience.Long);
        if (app.Services.GetService<CollectorRegistry>() is { } registry)
        {
            Prometheus.Metrics.WithCustomRegistry(registry).CreateGauge("whip_broker_streams", "Registered control streams.").Set(2);
        }

        using var http = new HttpClient();
        Assert.Equal(expected, await http.GetStringAsync(new Uri($"{app.Urls.Single()}/metrics")).WaitAsync(Patience.Long));
    }
}
