namespace Whip.Protocol.Dialing;

/// <summary>A dial that failed. The only exception <see cref="WhipDialing"/> throws besides cancellation and bad arguments.</summary>
public sealed class WhipDialException : IOException
{
    internal WhipDialException(string name, DialOutcome outcome, string reason)
        : base($"dial {name}: {reason}")
    {
        Name = name;
        Outcome = outcome;
        Reason = reason;
    }

    /// <summary>The name and port dialled, <c>host:port</c>.</summary>
    public string Name { get; }

    /// <summary>How the dial ended; never <see cref="DialOutcome.Connected"/>.</summary>
    public DialOutcome Outcome { get; }

    /// <summary>The broker's one line, or the dialer's own when no broker answered.</summary>
    public string Reason { get; }
}
