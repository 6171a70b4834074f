using Npgsql;

namespace Whip.Grains;

/// <summary>Reads a connection string in Npgsql's form or as a URI. No message here may quote it: it holds a password.</summary>
internal static class PostgresConnectionString
{
    private const string Hint = "try Host=db.example;Username=whip;Password=...;Database=whip or postgres://whip:...@db.example/whip";

    /// <exception cref="FormatException">It is not valid; the message is one line without any part of it.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        NpgsqlConnectionStringBuilder builder;
        try
        {
            var isUri = text.StartsWith("postgres://", StringComparison.Ordinal) || text.StartsWith("postgresql://", StringComparison.Ordinal);
            builder = isUri ? FromUri(new Uri(text)) : new NpgsqlConnectionStringBuilder(text);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw new FormatException($"not a PostgreSQL connection string; {Hint}");
        }

        return string.IsNullOrEmpty(builder.Host) ? throw new FormatException($"names no host; {Hint}") : builder;
    }

    /// <summary>host:port for the log.</summary>
    public static string Server(NpgsqlConnectionStringBuilder builder) =>
        string.Join(',', builder.Host!.Split(',').Select(host => host.Contains(':') ? host : $"{host}:{builder.Port}"));

    private static NpgsqlConnectionStringBuilder FromUri(Uri uri)
    {
        var builder = new NpgsqlConnectionStringBuilder { Host = uri.Host };
        if (uri.Port > 0)
        {
            builder.Port = uri.Port;
        }

        var user = uri.UserInfo.Split(':', 2);
        builder.Username = NullIfEmpty(Uri.UnescapeDataString(user[0]));
        builder.Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null;
        builder.Database = NullIfEmpty(Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/')));
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Select(item => item.Split('=', 2)))
        {
            var value = Uri.UnescapeDataString(pair[^1]);
            // libpq's verify-full is VerifyFull here.
            builder[pair[0]] = pair[0] == "sslmode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }

        return builder;
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
