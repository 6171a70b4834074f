using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;
using Whip.Protocol.Options;

namespace Whip.Broker.Admin;

/// <summary>The token that admin requests carry. Digests are compared, which takes as long for any wrong one.</summary>
internal sealed class AdminToken
{
    private const string BearerScheme = "Bearer ";
    private const string BasicScheme = "Basic ";

    /// <summary>What a refusal asks for: the token itself, or as the password of whatever user name, for browsers have no other way to send it.</summary>
    public static readonly StringValues Challenge = new(["Bearer", "Basic realm=\"the admin token as password\""]);

    private readonly byte[] _digest;

    private AdminToken(string token) => _digest = Digest(token);

    /// <summary>Null: there is no file, and no token is asked for.</summary>
    /// <exception cref="WhipOptionException">The file is no use.</exception>
    public static AdminToken? Load(string? path) =>
        path is null ? null : new AdminToken(SecretFile.ReadToken(nameof(WhipBrokerOptions.AdminTokenPath), path, "openssl rand -hex 32 > FILE"));

    public bool Accepts(string? authorization) =>
        (After(BearerScheme, authorization) ?? Password(After(BasicScheme, authorization))) is { } token
        && CryptographicOperations.FixedTimeEquals(Digest(token), _digest);

    private static string? After(string scheme, string? authorization) =>
        authorization?.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) == true ? authorization[scheme.Length..].Trim() : null;

    /// <summary>Of <c>base64(user:password)</c> (RFC 7617).</summary>
    private static string? Password(string? credentials)
    {
        var bytes = new byte[credentials?.Length ?? 0];
        return credentials is not null && Convert.TryFromBase64String(credentials, bytes, out var length)
            && Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2) is [_, var password]
            ? password
            : null;
    }

    private static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
