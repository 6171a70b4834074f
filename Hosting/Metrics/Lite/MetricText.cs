using System.Globalization;
using System.Text;

namespace Whip.Hosting.Metrics;

/// <summary>Prometheus' text format 0.0.4.</summary>
internal static class MetricText
{
    public static void AppendHeader(StringBuilder text, MetricDefinition definition)
    {
        var help = definition.Help.Replace("\\", "\\\\").Replace("\n", "\\n");
        var type = definition.Type switch
        {
            MetricType.Counter => "counter",
            MetricType.Gauge => "gauge",
            _ => "histogram",
        };
        text.Append($"# HELP {definition.Name} {help}\n# TYPE {definition.Name} {type}\n");
    }

    public static void AppendSample(StringBuilder text, MetricDefinition definition, string suffix, string[] labels, double? bound, double value)
    {
        text.Append(definition.Name).Append(suffix);
        var separator = '{';
        for (var i = 0; i < labels.Length; i++)
        {
            AppendLabel(text, ref separator, definition.Labels[i], labels[i]);
        }

        if (bound is { } le)
        {
            AppendLabel(text, ref separator, "le", Number(le));
        }

        text.Append(separator == ',' ? "} " : " ").Append(Number(value)).Append('\n');
    }

    private static void AppendLabel(StringBuilder text, ref char separator, string name, string value)
    {
        var escaped = value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");
        text.Append(separator).Append(name).Append("=\"").Append(escaped).Append('"');
        separator = ',';
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
