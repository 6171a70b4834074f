using Whip.Protocol.Names;

namespace Whip.Protocol.Policy;

/// <summary>Who may dial what: the first rule that matches decides; without a match the dial is denied.</summary>
internal sealed class DialPolicy(IReadOnlyList<DialRule> rules)
{
    /// <summary>Without a file every certificate of the CA may dial everything, as in the original.</summary>
    public static DialPolicy AllowAll { get; } = Parse("""[{"dialer": "*", "name": "*", "allow": true}]""");

    public IReadOnlyList<DialRule> Rules => rules;

    /// <summary>Reads <c>[{"dialer": GLOB, "name": GLOB, "ports": [N…], "allow": BOOL}…]</c>; ports left out are all ports.</summary>
    /// <exception cref="FormatException">The text is not valid; the message names the rule, the key and what is allowed.</exception>
    public static DialPolicy Parse(string text) => new(DialPolicyReader.Read(text));

    /// <summary>Judges one dial by the names in the dialer's leaf; a dialer without a leaf matches only the dialer <c>*</c>.</summary>
    public bool Allows(IReadOnlyList<string> dialerNames, DialTarget target) => Find(dialerNames, target)?.Allow == true;

    /// <summary>The rule that decides; null: none matches, and the dial is denied.</summary>
    public DialRule? Find(IReadOnlyList<string> dialerNames, DialTarget target)
    {
        foreach (var rule in rules)
        {
            if (rule.Matches(dialerNames, target))
            {
                return rule;
            }
        }

        return null;
    }
}
