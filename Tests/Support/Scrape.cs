using System.Text;
using Prometheus;

namespace Whip.Tests.Support;

/// <summary>What a scrape of a registry says.</summary>
internal static class Scrape
{
    public static async Task<string> ReadAsync(CollectorRegistry registry)
    {
        using var text = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(text);
        return Encoding.UTF8.GetString(text.ToArray());
    }
}
