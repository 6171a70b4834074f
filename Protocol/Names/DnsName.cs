namespace Whip.Protocol.Names;

/// <summary>The one parser of names: names that register, that are dialled and that certificates cover are compared in its form.</summary>
internal static class DnsName
{
    /// <summary>Bytes of a whole name without its final dot, as in RFC 1035.</summary>
    public const int MaxLength = 253;

    private const int MaxLabelLength = 63;

    /// <summary>
    /// Lower-cases <paramref name="text"/> and drops one final dot. Labels are 1 to 63 letters, digits, '-' and '_', and neither
    /// begin nor end with '-'. A name of digits and dots alone is refused, for it would be an address
    /// ('/' lies between '.' and '9', and no label contains it).
    /// </summary>
    public static bool TryNormalize(ReadOnlySpan<char> text, out string name)
    {
        name = "";
        if (text.EndsWith("."))
        {
            text = text[..^1];
        }

        if (text.Length is 0 or > MaxLength || !text.ContainsAnyExceptInRange('.', '9'))
        {
            return false;
        }

        foreach (var range in text.Split('.'))
        {
            if (!IsLabel(text[range]))
            {
                return false;
            }
        }

        name = text.ToString().ToLowerInvariant();
        return true;
    }

    /// <summary>Whether <paramref name="text"/> is one label by itself.</summary>
    public static bool IsLabel(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxLabelLength || text[0] == '-' || text[^1] == '-')
        {
            return false;
        }

        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
            {
                return false;
            }
        }

        return true;
    }
}
