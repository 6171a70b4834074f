using System.Text.Json;

namespace Whip.Broker.Policy;

/// <summary>Who may dial what: the first rule that matches decides; without a match the dial is denied.</summary>
internal sealed class DialPolicy
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
    };

    private readonly IReadOnlyList<DialRule> _rules;

    private DialPolicy(IReadOnlyList<DialRule> rules) => _rules = rules;

    /// <summary>Without a file every certificate of the CA may dial everything, as in the original.</summary>
    public static DialPolicy AllowAll { get; } = new([new DialRule { Dialer = "*", Name = "*", Allow = true }]);

    public int RuleCount => _rules.Count;

    /// <summary>Reads <c>[{"dialer": GLOB, "name": GLOB, "ports": [N…], "allow": BOOL}…]</c>; ports left out are all ports.</summary>
    /// <exception cref="FormatException">The text is not valid; the message says where.</exception>
    public static DialPolicy Parse(string text)
    {
        try
        {
            var rules = JsonSerializer.Deserialize<DialRule?[]>(text, Json) ?? throw new FormatException("a policy is a JSON array of rules");
            return new DialPolicy([.. rules.Select((rule, index) => DialRule.Checked(rule, index + 1))]);
        }
        catch (JsonException error)
        {
            throw new FormatException(error.Message, error);
        }
    }

    /// <summary>Judges one dial by the names in the dialer's leaf; a dialer without a leaf matches only the dialer <c>*</c>.</summary>
    public bool Allows(IReadOnlyList<string> dialerNames, DialTarget target)
    {
        foreach (var rule in _rules)
        {
            if (rule.Matches(dialerNames, target))
            {
                return rule.Allow;
            }
        }

        return false;
    }
}
