using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace Whip.Broker.Admin;

/// <summary>The token that admin requests carry. Digests are compared, so that the time does not depend on the guess.</summary>
internal sealed class AdminToken
{
    private const string BearerScheme = "Bearer ";
    private const string BasicScheme = "Basic ";

    /// <summary>Asks for the token, or for Basic credentials with any user name and the token as password, which is all that a browser can send.</summary>
    public static readonly StringValues Challenge = new(["Bearer", "Basic realm=\"the admin token as password\""]);

    private readonly byte[] _digest;

    private AdminToken(string token) => _digest = Digest(token);

    /// <returns>Null if no token is required.</returns>
    /// <exception cref="WhipOptionException">The file is not valid.</exception>
    public static AdminToken? Load(string? path) =>
        path is null ? null : new AdminToken(SecretFile.ReadToken(nameof(WhipBrokerOptions.AdminTokenPath), path, "openssl rand -hex 32 > FILE"));

    public bool Accepts(string? authorization) =>
        (After(BearerScheme, authorization) ?? Password(After(BasicScheme, authorization))) is { } token
        && CryptographicOperations.FixedTimeEquals(Digest(token), _digest);

    private static string? After(string scheme, string? authorization) =>
        authorization?.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) == true ? authorization[scheme.Length..].Trim() : null;

    /// <summary>The password of <c>base64(user:password)</c> (RFC 7617).</summary>
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
