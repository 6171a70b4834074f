using System.Net;
using Whip.Protocol.Names;

namespace Whip.Protocol.Tls;

/// <summary>Certificates that are refused although the CA's signature is good: by a name, or by the issuer's key id and the serial number.</summary>
internal sealed class DenyList
{
    // An issuer's key id is a hash, of 20 bytes mostly, and a serial number has 20 bytes at most (RFC 5280).
    private const int MaxIdLength = 256;

    private readonly List<NameGlob> _names = [];
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);

    private DenyList()
    {
    }

    public int Count => _names.Count + _ids.Count;

    /// <summary>One entry per line; <c>#</c> begins a comment.</summary>
    /// <exception cref="FormatException">A line is no entry; the message has its number.</exception>
    public static DenyList Parse(string text)
    {
        var list = new DenyList();
        foreach (var (index, line) in text.Split('\n').Index())
        {
            var entry = line.Split('#')[0].Trim();
            if (entry.Length == 0)
            {
                continue;
            }

            if (TryParseId(entry, out var id))
            {
                list._ids.Add(id);
            }
            else if (NameGlob.TryOfCertificate(entry, out var name, out var problem))
            {
                list._names.Add(name);
            }
            else
            {
                throw new FormatException(
                    $"line {index + 1}: \"{Printable.Clean(entry)}\" {problem}; an entry is a pattern for a name, or ISSUER-KEY-ID:SERIAL in hex");
            }
        }

        return list;
    }

    /// <summary>As in the file, in one form: lower case, no colons inside, no leading zeros in the serial number.</summary>
    public static string Id(ReadOnlySpan<char> keyId, ReadOnlySpan<char> serial) =>
        $"{keyId.ToString().Replace(":", "", StringComparison.Ordinal).ToLowerInvariant()}:{serial.ToString().ToLowerInvariant().TrimStart('0')}";

    /// <summary>Whether a peer may say this of the id of another's certificate.</summary>
    public static bool IsId(string text) => text.Length <= MaxIdLength && TryParseId(text, out var id) && id == text;

    public bool Matches(PeerIdentity peer) => Matches(peer.Names, peer.Id);

    /// <summary>The same for a certificate of which these names and this id are known.</summary>
    public bool Matches(IEnumerable<string> names, string? id) =>
        (id is not null && _ids.Contains(id)) || names.Any(name => _names.Exists(glob => glob.Matches(name)));

    /// <summary>The key id may have colons between its bytes, as openssl prints it; so has an address, which is a name.</summary>
    private static bool TryParseId(string entry, out string id)
    {
        id = "";
        var at = entry.LastIndexOf(':');
        if (at <= 0 || IPAddress.TryParse(entry, out _))
        {
            return false;
        }

        id = Id(entry.AsSpan(0, at), entry.AsSpan(at + 1));
        return id.Length == id.TrimEnd(':').Length && id.Replace(":", "", StringComparison.Ordinal).All(char.IsAsciiHexDigit);
    }
}
