using Whip.Registry;

namespace Whip.Broker.Dialing;

/// <summary>Whose dial it is, and how it came.</summary>
/// <param name="Names">The verified names of the dialer's leaf; empty for a dialer without one.</param>
/// <param name="Description">Where it came from, for the log.</param>
internal sealed record DialOrigin(IReadOnlyList<string> Names, string Description)
{
    public ResolveScope Scope { get; init; }

    /// <summary>The zone of the broker where the dial arrived, if that one prefers its own; else empty.</summary>
    public string Zone { get; init; } = "";

    /// <summary>It can be sent to the holder instead of being relayed there.</summary>
    public bool AcceptsRedirect { get; init; }
}
