namespace Whip.Bench.Local;

/// <summary>A part that did not do what it was started for; the last lines of its log say more.</summary>
internal sealed class PartFailedException(string part, string problem, IReadOnlyList<string> log, Exception? cause = null)
    : Exception($"{part}: {problem}", cause)
{
    public string Part { get; } = part;

    public IReadOnlyList<string> Log { get; } = log;
}
