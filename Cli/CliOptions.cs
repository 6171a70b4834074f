using System.CommandLine;
using Whip.Protocol.Options;

namespace Whip.Cli;

/// <summary>
/// The kinds of options that System.CommandLine has not by itself. How texts, variables and errors read is shared with the programs that serve,
/// whose flags the project Hosting declares; it stands in Protocol, for this program has no web server.
/// </summary>
internal static class CliOptions
{
    public static Option<string> Text(string name, string help, string defaultValue = "") =>
        new(name) { Description = help, DefaultValueFactory = _ => defaultValue };

    /// <summary>Repeatable, and each may list several with commas between.</summary>
    public static Option<string[]> List(string name, string help, params string[] defaultValue) => new(name)
    {
        Description = $"{help}; repeatable, or separated by commas",
        DefaultValueFactory = _ => defaultValue,
        CustomParser = result => [.. result.Tokens.SelectMany(token => OptionText.Split(token.Value))],
    };

    public static Option<TimeSpan?> Duration(string name, string help) => new(name)
    {
        Description = help,
        HelpName = "DURATION",
        CustomParser = result => GoDuration.TryParse(result.Tokens[0].Value, out var duration) && duration > TimeSpan.Zero
            ? duration
            : throw new WhipOptionException(name, result.Tokens[0].Value, "not a duration", "720h or 1h30m"),
    };

    /// <summary>What <c>WHIP_FLAG</c> says for a flag; empty when it is not set.</summary>
    public static string FromEnvironment(string flag) => Environment.GetEnvironmentVariable(FlagNames.Variable(flag)) ?? "";
}
