namespace Whip.Hosting.Metrics;

/// <summary>A sum that only grows. Label values stand in the order of the definition's labels.</summary>
internal interface ICounter
{
    void Add(double value, params ReadOnlySpan<string> labels);
}
