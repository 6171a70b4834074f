namespace Whip.Agent.Homes;

/// <summary>
/// How many attempts at one address have failed in a row, which decides how long the next one waits. A stream that was registered begins anew,
/// however short it was: its broker is back. Streams that are registered and end at once still back off from each other.
/// </summary>
internal sealed class FailureCount
{
    private const int Max = 1000;

    /// <summary>A stream that was attached this long was a success, also one that nobody confirmed.</summary>
    private static readonly TimeSpan ProvenAfter = TimeSpan.FromSeconds(10);

    private volatile int _inARow;
    private int _brief;

    /// <summary>Read from any thread.</summary>
    public int InARow => _inARow;

    /// <param name="stoodFor">How long it was attached.</param>
    /// <param name="wasRegistered">The broker confirmed it.</param>
    public void Ended(TimeSpan stoodFor, bool wasRegistered)
    {
        if (stoodFor >= ProvenAfter)
        {
            (_inARow, _brief) = (1, 0);
        }
        else if (wasRegistered)
        {
            _inARow = _brief = Math.Min(_brief + 1, Max);
        }
        else
        {
            _inARow = Math.Min(_inARow + 1, Max);
        }
    }
}
