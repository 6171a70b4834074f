using System.IO.Enumeration;

namespace Whip.Broker.Policy;

/// <summary>One rule of a dial policy, as it stands in the file. In a glob <c>*</c> is any run of characters, dots included.</summary>
internal sealed record DialRule
{
    public required string Dialer { get; init; }

    public required string Name { get; init; }

    /// <summary>Null: every port.</summary>
    public IReadOnlyList<int>? Ports { get; init; }

    public required bool Allow { get; init; }

    /// <exception cref="FormatException">The rule is null, or a value can never match.</exception>
    public static DialRule Checked(DialRule? rule, int number)
    {
        if (rule is not { Dialer.Length: > 0, Name.Length: > 0 })
        {
            throw new FormatException($"rule {number}: dialer and name must not be empty; \"*\" is any");
        }

        if (rule.Ports is { } ports && (ports.Count == 0 || ports.Any(port => port is < 1 or > 65535)))
        {
            throw new FormatException($"rule {number}: ports must be 1 to 65535; leave ports out for all");
        }

        return rule;
    }

    public bool Matches(IReadOnlyList<string> dialerNames, DialTarget target) =>
        (Ports is null || Ports.Contains(target.Port)) && IsMatch(Name, target.Name) && (Dialer == "*" || dialerNames.Any(dialer => IsMatch(Dialer, dialer)));

    private static bool IsMatch(string glob, string text) => FileSystemName.MatchesSimpleExpression(glob, text, ignoreCase: true);
}
