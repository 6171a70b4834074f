using System.Text;
using Whip.Protocol.Names;

namespace Whip.Protocol.Connect;

/// <summary>A list of printable names as the value of one header: percent-encoded, with commas between; no names are an empty value.</summary>
internal static class NameList
{
    /// <summary>Half of a head. A name that does not fit is left out: then a rule for it does not match, and no rule matches by mistake.</summary>
    public const int MaxLength = 4 * 1024;

    public static string Encode(IEnumerable<string> names)
    {
        var list = new StringBuilder();
        foreach (var name in names.Where(name => name.Length is > 0 and <= MaxLength))
        {
            var encoded = Uri.EscapeDataString(Printable.Clean(name, MaxLength));
            var comma = list.Length > 0 ? "," : "";
            if (list.Length + comma.Length + encoded.Length <= MaxLength)
            {
                list.Append(comma).Append(encoded);
            }
        }

        return list.ToString();
    }

    /// <summary>Takes what <see cref="Encode"/> writes and nothing else.</summary>
    public static bool TryDecode(string list, out IReadOnlyList<string> names)
    {
        names = list.Length is 0 or > MaxLength ? [] : [.. list.Split(',').Select(Uri.UnescapeDataString)];
        return Encode(names) == list;
    }
}
