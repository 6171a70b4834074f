using System.Text;

namespace Whip.Hosting.Flags;

/// <summary>The text of <c>--help</c>.</summary>
internal static class FlagHelp
{
    public static string Describe(FlagSet flags)
    {
        var text = new StringBuilder();
        var positional = flags.Positional is { } p ? $" [{p.Unit}...]" : "";
        text.Append($"{flags.Program}: {flags.Description}\n\nUsage: {flags.Program} [--flag VALUE | --flag=VALUE]...{positional}\n\n");
        if (flags.Positional is { } arguments)
        {
            text.Append($"  {arguments.Unit}...\n");
            Append(text, arguments);
        }

        // The common flags were made first; a reader looks for the program's own.
        var common = flags.All.TakeWhile(f => f != flags.Common.Config).Append(flags.Common.Config).ToArray();
        foreach (var flag in flags.All.Skip(common.Length).Concat(common))
        {
            text.Append($"  --{flag.Name}{(flag.IsSwitch ? "[=true|false]" : $" {flag.Unit}")}\n");
            Append(text, flag);
        }

        text.Append("  --help\n        Prints this.\n  --version\n        Prints the version and the package set.\n\n");
        text.Append("A flag is taken from the command line, else from its environment variable, else from the --config file, else its default.\n");
        text.Append("Addresses to listen on are HOST:PORT or :PORT; port 0 picks a free one. Durations are such as 250ms, 5s, 1m30s, 720h.\n");
        return text.ToString();
    }

    private static void Append(StringBuilder text, Flag flag)
    {
        text.Append($"        {flag.Help}{(flag.IsList ? " May be repeated." : "")}\n");
        text.Append($"        {(flag.DefaultText.Length == 0 ? "No default" : $"Default {flag.DefaultText}")}; environment {flag.Variable}.\n");
    }
}
