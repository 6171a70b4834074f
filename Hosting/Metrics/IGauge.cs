namespace Whip.Hosting.Metrics;

/// <summary>A value that goes up and down. Label values stand in the order of the definition's labels.</summary>
internal interface IGauge
{
    void Add(double value, params ReadOnlySpan<string> labels);

    void Set(double value, params ReadOnlySpan<string> labels);
}
