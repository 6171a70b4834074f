namespace Whip.Tests.Docs;

/// <summary>A fenced block of a document.</summary>
/// <param name="Marker">The HTML comment on the line before it, or empty.</param>
/// <param name="Language">What stands behind the fence.</param>
/// <param name="Text">Its lines, each with its end.</param>
internal sealed record DocBlock(string Marker, string Language, string Text)
{
    private const string Fence = "```";

    public static List<DocBlock> Read(string markdown)
    {
        var blocks = new List<DocBlock>();
        var (marker, language, text) = ("", "", (string?)null);
        foreach (var line in markdown.Split('\n'))
        {
            if (text is not null && line == Fence)
            {
                blocks.Add(new DocBlock(marker, language, text));
                (marker, text) = ("", null);
            }
            else if (text is not null)
            {
                text += line + "\n";
            }
            else if (line.StartsWith(Fence, StringComparison.Ordinal))
            {
                (language, text) = (line[Fence.Length..], "");
            }
            else
            {
                marker = line is ['<', '!', '-', '-', ' ', .. var comment, ' ', '-', '-', '>'] ? comment : "";
            }
        }

        return blocks;
    }
}
