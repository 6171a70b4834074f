namespace Whip.Harness.Programs;

/// <summary>
/// A part failed to start, or failed later. Every method here that starts a part or waits for one may throw this. The message ends with the last lines
/// of the part's log.
/// </summary>
internal sealed class PartFailedException(string part, string problem, IReadOnlyList<string> log, Exception? cause = null)
    : Exception($"{part}: {problem}{Tail(part, log)}", cause)
{
    /// <summary>The part and its problem, without the log.</summary>
    public string Problem { get; } = $"{part}: {problem}";

    private static string Tail(string part, IReadOnlyList<string> log) =>
        log.Count == 0 ? "" : string.Concat(log.Select(line => $"\n  {line}").Prepend($"\nthe last lines of {part}'s log:"));
}
