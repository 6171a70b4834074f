using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Whip.Protocol.Via;

/// <summary>
/// The hosts of NO_PROXY, which no proxy leads to, as curl reads it (lib/noproxy.c since 7.86). .NET's HttpEnvironmentProxy has neither its networks
/// nor its <c>*</c>, and takes a name without a dot before it for that name alone.
/// </summary>
internal sealed class NoProxyList(string text)
{
    private const string Everything = "*";

    private readonly string[] _entries = text.Split([',', ' ', '\t'], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>No proxy leads anywhere.</summary>
    public bool MatchesAll => text == Everything;

    public bool Matches(string host) =>
        MatchesAll || (IPAddress.TryParse(host, out var address)
            ? Array.Exists(_entries, entry => Covers(entry, address))
            : Array.Exists(_entries, entry => IsOrEnds(entry, host)));

    /// <summary><c>example.com</c> and <c>.example.com</c> are that name and every name below it.</summary>
    private static bool IsOrEnds(string entry, string host)
    {
        var name = entry.EndsWith('.') ? entry[..^1] : entry;
        name = name.StartsWith('.') ? name[1..] : name;
        return name.Equals(host, StringComparison.OrdinalIgnoreCase)
            || (host.Length > name.Length && host[^(name.Length + 1)] == '.' && host.EndsWith(name, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>An address alone, or a network whose bits behind the prefix do not count. A prefix of 0, or none, is the whole address.</summary>
    private static bool Covers(string entry, IPAddress address)
    {
        var slash = entry.IndexOf('/');
        var isPrefix = int.TryParse(slash < 0 ? "" : entry[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var bits) && bits > 0;
        if (!IPAddress.TryParse(slash < 0 ? entry : entry[..slash], out var network) || network.AddressFamily != address.AddressFamily)
        {
            return false;
        }

        byte[] left = network.GetAddressBytes();
        byte[] right = address.GetAddressBytes();
        bits = isPrefix ? bits : left.Length * 8;
        if (bits > left.Length * 8 || (address.AddressFamily == AddressFamily.InterNetwork && entry.Count(c => c == '.') != 3))
        {
            return false;
        }

        var (whole, rest) = (bits / 8, bits % 8);
        return left.AsSpan(0, whole).SequenceEqual(right.AsSpan(0, whole)) && (rest == 0 || (left[whole] ^ right[whole]) >> (8 - rest) == 0);
    }
}
