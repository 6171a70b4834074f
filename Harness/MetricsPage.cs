using System.Globalization;
using System.Net;

namespace Whip.Harness;

/// <summary>What a program's /metrics said.</summary>
internal sealed class MetricsPage
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };

    private readonly string[] _lines;

    private MetricsPage(string text) => _lines = text.Split('\n');

    public static async Task<MetricsPage> ReadAsync(IPEndPoint address, CancellationToken cancellationToken) =>
        new(await Http.GetStringAsync(new Uri($"http://{address}/metrics"), cancellationToken));

    /// <summary>A gauge or counter, summed over its labels, or over those with this text.</summary>
    public double Sum(string name, string label = "") => _lines
        .Where(line => line.Split([' ', '{'])[0] == name && line.Contains(label, StringComparison.Ordinal))
        .Sum(line => double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture));
}
