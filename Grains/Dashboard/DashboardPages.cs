using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Dashboard;

namespace Whip.Grains.Dashboard;

/// <summary>The pages of the Orleans Dashboard, which has no web server and asks nobody who they are: whoever serves them does.</summary>
internal static class DashboardPages
{
    public const string Path = "/dashboard";

    public static void AddServices(IServiceCollection services)
    {
        services.AddRouting();
        services.AddSingleton(new DiagnosticListener("Whip.Grains"));
        services.AddSingleton<DiagnosticSource>(provider => provider.GetRequiredService<DiagnosticListener>());
    }

    public static RequestDelegate Create(IServiceProvider services)
    {
        var application = new ApplicationBuilder(services);
        application.UseRouting();
        application.UseEndpoints(endpoints => endpoints.MapOrleansDashboard(Path));
        var pages = application.Build();
        return async context =>
        {
            await using var scope = services.CreateAsyncScope();
            context.RequestServices = scope.ServiceProvider;
            await pages(context);
        };
    }
}
