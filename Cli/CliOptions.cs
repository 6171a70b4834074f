using System.CommandLine;
using Whip.Protocol.Names;

namespace Whip.Cli;

/// <summary>The kinds of options that the parser has not by itself.</summary>
internal static class CliOptions
{
    public static Option<string> Text(string name, string help, string defaultValue = "") =>
        new(name) { Description = help, DefaultValueFactory = _ => defaultValue };

    /// <summary>Repeatable, and each may list several with commas between.</summary>
    public static Option<string[]> List(string name, string help, params string[] defaultValue) => new(name)
    {
        Description = $"{help}; repeatable, or separated by commas",
        DefaultValueFactory = _ => defaultValue,
        CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))],
    };

    public static Option<TimeSpan?> Duration(string name, string help) => new(name)
    {
        Description = help,
        HelpName = "DURATION",
        CustomParser = result => GoDuration.TryParse(result.Tokens[0].Value, out var duration) && duration > TimeSpan.Zero
            ? duration
            : throw new CliException(name, result.Tokens[0].Value, "not a duration", "720h or 1h30m"),
    };

    /// <summary>What <c>WHIP_FLAG</c> says for a flag; empty when it is not set.</summary>
    public static string FromEnvironment(string flag) =>
        Environment.GetEnvironmentVariable("WHIP_" + flag[2..].Replace('-', '_').ToUpperInvariant()) ?? "";
}
