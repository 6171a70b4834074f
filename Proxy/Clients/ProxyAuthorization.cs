using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace Whip.Proxy.Clients;

/// <summary>Checks the client's password, for CONNECT and for every other request.</summary>
internal sealed class ProxyAuthorization
{
    public const string Challenge = "Basic realm=\"whip\", charset=\"UTF-8\"";

    private const string Scheme = "Basic ";

    private readonly byte[]? _expected;

    public ProxyAuthorization(string username, string? password) =>
        _expected = string.IsNullOrEmpty(password) ? null : SHA256.HashData(Encoding.UTF8.GetBytes($"{username}:{password}"));

    /// <summary>Two headers are refused. Digests of equal length are compared in constant time, so the time says nothing about the password.</summary>
    public bool Accepts(StringValues header)
    {
        if (_expected is null)
        {
            return true;
        }

        if (header is not [{ } value] || !value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var encoded = value.AsSpan(Scheme.Length).Trim(' ');
        var given = new byte[Base64.GetMaxDecodedFromUtf8Length(encoded.Length)];
        return Convert.TryFromBase64Chars(encoded, given, out var length)
            && CryptographicOperations.FixedTimeEquals(SHA256.HashData(given.AsSpan(0, length)), _expected);
    }
}
