using System.Security.Cryptography;
using System.Text;
using Whip.Hosting.Flags;

namespace Whip.Broker.Admin;

/// <summary>The token that admin requests carry. Digests are compared, which takes as long for any wrong one.</summary>
internal sealed class AdminToken
{
    private const string Flag = "--admin-token-path";
    private const string Scheme = "Bearer ";

    private readonly byte[] _digest;

    private AdminToken(string token) => _digest = Digest(token);

    /// <summary>Null: there is no file, and no token is asked for.</summary>
    /// <exception cref="StartupException">The file is no use.</exception>
    public static AdminToken? Load(string? path)
    {
        if (path is null)
        {
            return null;
        }

        try
        {
            var token = File.ReadAllText(path).Trim();
            return token.Length > 0 && !token.AsSpan().ContainsAnyExceptInRange('!', '~')
                ? new AdminToken(token)
                : throw new StartupException(Flag, path, "holds no token of one line without blanks", "openssl rand -hex 32 > FILE");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(Flag, path, error.Message, "a file with the token");
        }
    }

    public bool Accepts(string? authorization) =>
        authorization is not null
        && authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(Digest(authorization[Scheme.Length..].Trim()), _digest);

    private static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
