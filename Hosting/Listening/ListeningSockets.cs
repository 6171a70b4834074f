using System.Globalization;
using System.Net;

namespace Whip.Hosting.Listening;

/// <summary>The TCP sockets of this machine that listen, as Linux shows them.</summary>
internal static class ListeningSockets
{
    private const string Listening = "0A";

    private static readonly string[] Files = ["/proc/net/tcp", "/proc/net/tcp6"];

    /// <summary>Whether a process listens at the address, or at one that overlaps it; assumed if that cannot be read.</summary>
    public static bool HasAny(IPEndPoint address)
    {
        try
        {
            var files = Array.FindAll(Files, File.Exists);
            return files.Length == 0 || files.SelectMany(file => File.ReadLines(file))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Any(fields => fields is [_, var local, _, Listening, ..] && Overlap(Parse(local), address));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    private static bool Overlap(IPEndPoint one, IPEndPoint other) =>
        one.Port == other.Port && (IsAny(one.Address) || IsAny(other.Address) || Unmapped(one.Address).Equals(Unmapped(other.Address)));

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static IPAddress Unmapped(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    /// <summary>Reads <c>0100007F:1F90</c>: words of four bytes, each with its last byte first, and the port.</summary>
    private static IPEndPoint Parse(string local)
    {
        var colon = local.IndexOf(':');
        var bytes = Convert.FromHexString(local.AsSpan(0, colon));
        for (var word = 0; word < bytes.Length; word += sizeof(int))
        {
            Array.Reverse(bytes, word, sizeof(int));
        }

        return new IPEndPoint(new IPAddress(bytes), int.Parse(local.AsSpan(colon + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }
}
