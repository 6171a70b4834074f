using System.Data.Common;
using System.Text.RegularExpressions;
using Npgsql;

namespace Whip.Grains.Membership;

/// <summary>The statements that give the user of a database the rights that a silo needs.</summary>
internal static partial class PostgresGrants
{
    [GeneratedRegex("^[a-z_][a-z0-9_]*$")]
    private static partial Regex PlainIdentifier { get; }

    /// <summary>What to try after a right was refused; empty for any other error.</summary>
    public static string Hint(DbException error, NpgsqlConnectionStringBuilder connection)
    {
        if (error is not PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } refused)
        {
            return "";
        }

        var user = Quote(connection.Username ?? Environment.UserName);
        (string Kind, string Rights)[] grants =
        [
            (" database ", $"CONNECT, CREATE ON DATABASE {Quote(connection.Database ?? connection.Username ?? Environment.UserName)}"),
            (" schema ", $"USAGE, CREATE ON SCHEMA {SiloSchema.Name}"),
            (" table ", $"SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SiloSchema.Name}"),
        ];

        // A server may say it in another language than English.
        var named = Array.FindAll(grants, grant => refused.MessageText.Contains(grant.Kind, StringComparison.Ordinal));
        var statements = (named.Length > 0 ? named : grants).Select(grant => $"GRANT {grant.Rights} TO {user}");
        return $"; try {string.Join("; ", statements)} as a superuser";
    }

    private static string Quote(string identifier) =>
        PlainIdentifier.IsMatch(identifier) ? identifier : $"\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
