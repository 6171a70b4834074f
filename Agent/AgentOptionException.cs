namespace Whip.Agent;

/// <summary>An option of <see cref="WhipAgentOptions"/> that cannot work.</summary>
internal sealed class AgentOptionException(string option, string value, string problem, string hint)
    : ArgumentException($"{option} \"{value}\": {problem}; try {hint}")
{
    public string Option { get; } = option;

    public string Value { get; } = value;

    public string Problem { get; } = problem;

    public string Hint { get; } = hint;
}
