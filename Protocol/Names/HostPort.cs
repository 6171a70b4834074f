using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Whip.Protocol.Names;

/// <summary>
/// Where a listener is reached. The text is read and normalised once, where it enters the program, and travels as this value from there
/// on, so that two spellings of an address are equal. The default value is an address that is not known.
/// </summary>
internal readonly record struct HostPort
{
    private readonly string? _host;

    private HostPort(string host, int port) => (_host, Port) = (host, port);

    /// <summary>An IP address as .NET writes it, or a name in the form of <see cref="DnsName"/>.</summary>
    public string Host => _host ?? "";

    /// <summary>1 to 65535, unless whoever parsed it gave 0 a meaning.</summary>
    public int Port { get; }

    public static HostPort Of(IPEndPoint endPoint) => new(endPoint.Address.ToString(), endPoint.Port);

    /// <summary>A host and a port that are known to be valid.</summary>
    /// <exception cref="ArgumentException">They are not valid.</exception>
    public static HostPort Of(string host, int port) =>
        TryCreate(host, port, out var address) ? address : throw new ArgumentException($"{Format(host, port)} is not valid", nameof(host));

    public static bool TryCreate(string host, int port, out HostPort address)
    {
        var isValid = TryNormalizeHost(host, out var normalized) & port is >= 1 and <= 65535;
        address = isValid ? new HostPort(normalized, port) : default;
        return isValid;
    }

    /// <summary>Reads <c>host:port</c>; an IPv6 address stands in brackets.</summary>
    /// <param name="text">Of a user or a peer.</param>
    /// <param name="address">The value; default if the text is not valid.</param>
    /// <param name="emptyHost">What a missing host stands for; null: it is not valid.</param>
    /// <param name="zeroPort">What port 0 stands for; null: it is not valid.</param>
    public static bool TryParse(ReadOnlySpan<char> text, out HostPort address, string? emptyHost = null, int? zeroPort = null)
    {
        address = default;
        if (!TrySplit(text, out var host, out var port) || (port == 0 && zeroPort is null))
        {
            return false;
        }

        port = port == 0 ? zeroPort!.Value : port;
        if (host.Length == 0 && emptyHost is not null)
        {
            address = new HostPort(emptyHost, port);
            return true;
        }

        var isValid = TryNormalizeHost(host, out var normalized);
        address = isValid ? new HostPort(normalized, port) : default;
        return isValid;
    }

    /// <summary>The one form of an IP address or of a DNS name.</summary>
    public static bool TryNormalizeHost([NotNullWhen(true)] string? host, out string normalized)
    {
        if (IPAddress.TryParse(host, out var address))
        {
            normalized = address.ToString();
            return true;
        }

        return DnsName.TryNormalize(host, out normalized);
    }

    /// <summary>Splits at the last colon, and reads the port, 0 to 65535; the host may be anything, and empty.</summary>
    internal static bool TrySplit(ReadOnlySpan<char> text, out string host, out int port)
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

    /// <summary>For messages about a host that may not be valid.</summary>
    public static string Format(string host, int port) => host.Contains(':') ? $"[{host}]:{port}" : $"{host}:{port}";

    public override string ToString() => _host is null ? "" : Format(_host, Port);
}
