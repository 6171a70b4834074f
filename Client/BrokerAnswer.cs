using Whip.Protocol.Dialing;

namespace Whip.Client;

/// <summary>What one broker had to say to a dial.</summary>
/// <param name="Result">The dial's, if it ends here.</param>
/// <param name="IsHeard">The broker sent a head, if only that the dial is pending.</param>
internal sealed record BrokerAnswer(DialResult Result, bool IsHeard)
{
    /// <summary>It was given up because it took longer than it was given, though the dial has time left.</summary>
    public bool IsSilent { get; init; }

    /// <summary>Where a redirect points, as the broker wrote it.</summary>
    public string? Location { get; init; }

    public bool IsRedirect => Result.Outcome == DialOutcome.Redirected;

    /// <summary>The dial ends here. Otherwise the broker is down, drains or is full, and another may do what it did not.</summary>
    public bool IsFinal => Result.Outcome is not (DialOutcome.BrokerUnreachable or DialOutcome.Overloaded or DialOutcome.NotHolder);

    /// <summary>The broker is one and does its work.</summary>
    public bool IsSound => IsHeard && IsFinal && Result.Outcome != DialOutcome.ProtocolError;
}
