using System.Globalization;

namespace Whip.Protocol.Names;

/// <summary>Reads and writes <c>host:port</c>, the form of flags, CONNECT targets and endpoints.</summary>
internal static class HostPort
{
    /// <summary>Splits at the last colon; an IPv6 address stands in brackets. The host may be empty, the port is 0 to 65535.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out string host, out int port)
    {
        host = "";
        port = 0;
        var colon = text.LastIndexOf(':');
        if (colon < 0 || !int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) || port > 65535)
        {
            return false;
        }

        var name = text[..colon];
        if (name.StartsWith("[") && name.EndsWith("]"))
        {
            name = name[1..^1];
        }
        else if (name.Contains(':'))
        {
            return false;
        }

        host = name.ToString();
        return true;
    }

    public static string Format(string host, int port) => host.Contains(':') ? $"[{host}]:{port}" : $"{host}:{port}";
}
