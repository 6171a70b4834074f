using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Orleans.Dashboard;

namespace Whip.Grains.Silos;

/// <summary>The pages of the Orleans Dashboard. The caller serves them, and decides who may see them.</summary>
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
