using Whip.Protocol.Names;

namespace Whip.Protocol.Policy;

/// <summary>One rule of a dial policy.</summary>
/// <param name="Number">Its place in the file, from 1.</param>
/// <param name="Dialer">Of the names in the dialer's leaf one must match.</param>
/// <param name="Name">For the dialled name.</param>
/// <param name="Ports">Null: every port.</param>
/// <param name="Allow">What it decides.</param>
internal sealed record DialRule(int Number, NameGlob Dialer, NameGlob Name, IReadOnlyList<int>? Ports, bool Allow)
{
    public bool Matches(IReadOnlyList<string> dialerNames, DialTarget target) =>
        (Ports is null || Ports.Contains(target.Port)) && Name.Matches(target.Name) && (Dialer.IsEverything || dialerNames.Any(Dialer.Matches));

    /// <summary>It matches every dial that <paramref name="other"/> does.</summary>
    public bool Covers(DialRule other) =>
        (Ports is null || other.Ports?.All(Ports.Contains) == true) && Name.Covers(other.Name)
        && (other.Dialer.IsEverything ? Dialer.IsEverything : Dialer.Covers(other.Dialer));
}
