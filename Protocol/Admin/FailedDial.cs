namespace Whip.Protocol.Admin;

/// <summary>A dial that failed at a broker.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Name">What was dialled.</param>
/// <param name="Port">Its port.</param>
/// <param name="Origin">Where it came from.</param>
/// <param name="Outcome">As in <c>Whip-Outcome</c>.</param>
/// <param name="Reason">What the dialer was told.</param>
internal sealed record FailedDial(DateTimeOffset At, string Name, int Port, string Origin, string Outcome, string Reason);
