using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Whip.Protocol.Names;

/// <summary>
/// A pattern for names: <c>*</c> is any text, dots included, and <c>?</c> one character; there are no other special characters and no escapes.
/// Pattern and name are compared in one normal form: lower case, no final dot.
/// </summary>
internal sealed class NameGlob
{
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_.*?");
    private static readonly SearchValues<char> Wildcards = SearchValues.Create("*?");

    private readonly string _pattern;

    private NameGlob(string pattern) => _pattern = pattern;

    /// <summary>It matches every name there is.</summary>
    public bool IsEverything => _pattern == "*";

    /// <summary>A pattern for the names that are dialled.</summary>
    /// <param name="text">As the user wrote it.</param>
    /// <param name="glob">The pattern.</param>
    /// <param name="problem">Why no dial can match it, to be read after the text.</param>
    public static bool TryOfDialled(string text, [NotNullWhen(true)] out NameGlob? glob, [NotNullWhen(false)] out string? problem)
    {
        var pattern = Normalize(text);
        problem = DialledProblem(pattern);
        glob = problem is null ? new NameGlob(pattern) : null;
        return problem is null;
    }

    /// <summary>A pattern for the names of certificates: DNS names, addresses and URIs.</summary>
    /// <inheritdoc cref="TryOfDialled"/>
    public static bool TryOfCertificate(string text, [NotNullWhen(true)] out NameGlob? glob, [NotNullWhen(false)] out string? problem)
    {
        var pattern = IPAddress.TryParse(text, out var address) ? $"{address}" : Normalize(text);
        problem = pattern.Length == 0 ? "is empty; \"*\" is any"
            : pattern.AsSpan().ContainsAnyExceptInRange(' ', '~') ? "matches no certificate: names are printable ASCII"
            : IsPlain(pattern) && address is null && !pattern.Contains(':') && !DnsName.TryNormalize(pattern, out _)
                ? "matches no certificate: it is not a DNS name, an address or a URI"
            : null;
        glob = problem is null ? new NameGlob(pattern) : null;
        return problem is null;
    }

    public bool Matches(string name)
    {
        var text = Normalize(name);
        var (at, inPattern, afterStar, retryAt) = (0, 0, -1, 0);
        while (at < text.Length)
        {
            if (inPattern < _pattern.Length && _pattern[inPattern] == '*')
            {
                (afterStar, retryAt) = (++inPattern, at);
            }
            else if (inPattern < _pattern.Length && (_pattern[inPattern] == '?' || _pattern[inPattern] == text[at]))
            {
                (at, inPattern) = (at + 1, inPattern + 1);
            }
            else if (afterStar >= 0)
            {
                // The last star takes one character more.
                (at, inPattern) = (++retryAt, afterStar);
            }
            else
            {
                return false;
            }
        }

        return _pattern.AsSpan(inPattern).TrimStart('*').IsEmpty;
    }

    /// <summary>It matches every name that <paramref name="other"/> does; false also if that is not easily told.</summary>
    public bool Covers(NameGlob other) => (!_pattern.Contains('?') || !other._pattern.Contains('*')) && Matches(other._pattern);

    public override string ToString() => _pattern;

    /// <summary>A URI may end with a dot that belongs to it.</summary>
    private static string Normalize(string text)
    {
        var name = text.ToLowerInvariant();
        return name.Length > 1 && name[^1] == '.' && !name.Contains(':') && name[^2] is not ('.' or '*' or '?') ? name[..^1] : name;
    }

    private static bool IsPlain(string pattern) => !pattern.AsSpan().ContainsAny(Wildcards);

    private static string? DialledProblem(string pattern)
    {
        if (pattern.Length == 0)
        {
            return "is empty; \"*\" is any";
        }

        if (pattern.AsSpan().IndexOfAnyExcept(NameCharacters) is var at and >= 0)
        {
            return $"matches no dial: a name has no {(pattern[at] is >= ' ' and <= '~' ? $"'{pattern[at]}'" : "characters beyond ASCII")}";
        }

        return pattern.Length - pattern.Count(c => c == '*') > DnsName.MaxLength ? $"matches no dial: a name has at most {DnsName.MaxLength} characters"
            : (IsPlain(pattern) && !DnsName.TryNormalize(pattern, out _)) || !pattern.Split('.').All(CanBeLabels) ? "matches no dial: it is not a DNS name"
            : null;
    }

    /// <summary>Whether what stands between two dots can be one label, or with a star several.</summary>
    private static bool CanBeLabels(string part) => part.Contains('*')
        ? !part.StartsWith('-') && !part.EndsWith('-')
        : DnsName.IsLabel(part.Replace('?', 'a'));
}
