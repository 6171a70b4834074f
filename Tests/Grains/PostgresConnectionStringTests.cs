using Npgsql;
using Whip.Grains;

namespace Whip.Tests.Grains;

public sealed class PostgresConnectionStringTests
{
    [Theory]
    [InlineData("Host=db.test;Port=5433;Username=u;Password=p@ss;Database=d;SSL Mode=VerifyFull")]
    [InlineData("postgres://u:p%40ss@db.test:5433/d?sslmode=verify-full")]
    [InlineData("postgresql://u:p%40ss@db.test:5433/d?sslmode=verify-full")]
    public void Both_forms_are_read(string text)
    {
        var builder = PostgresConnectionString.Parse(text);
        Assert.Equal(("u", "p@ss", "d", SslMode.VerifyFull), (builder.Username, builder.Password, builder.Database, builder.SslMode));
        Assert.Equal("db.test:5433", PostgresConnectionString.Server(builder));
    }

    [Theory]
    [InlineData("postgres://db.test", "db.test:5432")]
    [InlineData("Host=a,b:5433;Port=5434", "a:5434,b:5433")]
    public void The_server_is_named_without_its_secrets(string text, string server) =>
        Assert.Equal(server, PostgresConnectionString.Server(PostgresConnectionString.Parse(text)));

    [Theory]
    [InlineData("")]
    [InlineData("Username=hunter2")]
    [InlineData("hunter2")]
    [InlineData("Host=db;Password=hun;ter2=hunter2")]
    [InlineData("Host=db;Port=hunter2")]
    [InlineData("postgres://whip:hunter2@")]
    [InlineData("postgres://whip:hunter2@db.test/whip?hunter2=1")]
    [InlineData("postgres://whip:hunter2@db.test/whip?sslmode=hunter2")]
    public void Another_text_is_refused_and_not_quoted(string text)
    {
        var refused = Assert.Throws<FormatException>(() => PostgresConnectionString.Parse(text));
        Assert.DoesNotContain("ter2", refused.ToString(), StringComparison.Ordinal);
        Assert.Contains("Host=", refused.Message);
    }
}
