namespace Whip.Protocol.Names;

/// <summary>Makes text from peers safe for a log, a header, a label or a terminal; all such text passes here.</summary>
internal static class Printable
{
    /// <summary>Keeps U+0020 to U+007E, turns every other UTF-16 unit into '?', and cuts at <paramref name="maxLength"/>.</summary>
    public static string Clean(string? text, int maxLength = 256)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        var length = Math.Min(text.Length, maxLength);
        if (length == text.Length && !text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return text;
        }

        return string.Create(length, text, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = source[i] is >= ' ' and <= '~' ? source[i] : '?';
            }
        });
    }
}
