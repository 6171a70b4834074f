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
}
