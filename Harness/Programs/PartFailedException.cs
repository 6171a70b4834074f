namespace Whip.Harness.Programs;

/// <summary>A part that did not do what it was started for. The message ends with the last lines of its log, which say more.</summary>
internal sealed class PartFailedException(string part, string problem, IReadOnlyList<string> log, Exception? cause = null)
    : Exception($"{part}: {problem}{string.Concat(log.Select(line => $"\n  {line}").Prepend(log.Count == 0 ? "" : $"\nthe last lines of {part}'s log:"))}", cause)
{
    /// <summary>What is wrong with which part, without the log.</summary>
    public string Problem { get; } = $"{part}: {problem}";
}
