namespace Whip.Bench.Cluster.Scenarios;

/// <summary>What one run of a scenario showed. Less is better in all of them.</summary>
/// <param name="Name">What was counted or measured.</param>
/// <param name="Value">In <paramref name="Unit"/>.</param>
/// <param name="Unit">Such as <c>s</c>; empty for a number.</param>
/// <param name="Goal">The most it may be; null for what is only told.</param>
/// <param name="Parameters">What else the figure depends on.</param>
internal sealed record ScenarioFigure(string Name, double Value, string Unit, double? Goal = null, params (string Name, object Value)[] Parameters);
