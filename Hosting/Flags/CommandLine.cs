using System.CommandLine;
using System.CommandLine.Parsing;
using Whip.Protocol.Options;

namespace Whip.Hosting.Flags;

/// <summary>One command line with its environment, from which commands read the values of their flags.</summary>
internal sealed class CommandLine(IReadOnlyList<string> args, Func<string, string?> variable)
{
    public const int HelpWidth = 130;

    public const string Sources =
        "A flag (--flag VALUE or --flag=VALUE) is taken from the command line, else from its variable, else from the --config file, else it has its default.";

    public const string Durations = "Durations are such as 250ms, 5s, 1m30s, 720h.";

    // An argument that begins with '@' is a name like any other, not a file of arguments.
    private static readonly ParserConfiguration Configuration = new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false };

    public ParseResult Parse(Command command) => command.Parse(FlagNames.WithEmptyValues(args), Configuration);

    /// <exception cref="WhipOptionException">The first thing that is wrong, as the user named it.</exception>
    public FlagValues Read(FlagSet flags, ParseResult parsed)
    {
        CheckSwitches(flags);
        RefuseStrays(flags, parsed);
        var values = flags.NewValues();
        Read(values, flags.Config, parsed, []);
        Dictionary<Flag, FlagConfig.Entry> file = [];
        if (values.Config is { } path)
        {
            file = FlagConfig.Read(flags, OptionText.File(values.NameOf(nameof(values.Config)), path));
        }

        foreach (var flag in flags.All.Where(flag => flag != flags.Config))
        {
            Read(values, flag, parsed, file);
        }

        values.Check();
        return values;
    }

    /// <summary>System.CommandLine takes the value of a switch that is neither true nor false for an argument.</summary>
    /// <exception cref="WhipOptionException">A switch has such a value.</exception>
    public void CheckSwitches(FlagSet flags)
    {
        foreach (var arg in args.TakeWhile(arg => arg != "--"))
        {
            if (arg.Split('=', 2) is [var name, var text] && flags.All.Any(flag => flag.IsSwitch && $"--{flag.Name}" == name))
            {
                OptionText.Switch(name, text);
            }
        }
    }

    /// <summary>System.CommandLine takes an unknown flag for an argument.</summary>
    private static void RefuseStrays(FlagSet flags, ParseResult parsed)
    {
        var taken = flags.All.Select(flag => flag.Symbol).OfType<Argument>().SelectMany(argument => parsed.GetResult(argument)?.Tokens ?? []);
        if (taken.Select(token => token.Value).Concat(parsed.UnmatchedTokens).FirstOrDefault(arg => arg.Length > 1 && arg[0] == '-') is { } unknown)
        {
            throw new WhipOptionException(unknown.Split('=')[0], null, $"{flags.Name} has no such flag", "--help");
        }

        if (parsed.UnmatchedTokens is [var stray, ..])
        {
            throw new WhipOptionException(stray, null, $"{flags.Name} takes no such argument", "--help");
        }
    }

    private void Read(FlagValues values, Flag flag, ParseResult parsed, Dictionary<Flag, FlagConfig.Entry> file)
    {
        if (Given(flag, parsed) is { } texts)
        {
            values.Set(flag, flag.IsPositional ? flag.Name : $"--{flag.Name}", texts);
        }
        else if (flag.Variable is { } name && variable(name) is { } text && !(flag.IgnoresEmptyVariable && text.Length == 0))
        {
            values.Set(flag, name, [text]);
        }
        else if (file.TryGetValue(flag, out var entry))
        {
            values.Set(flag, entry.Source, entry.Texts);
        }
    }

    /// <summary>Null: not on the command line.</summary>
    private static string[]? Given(Flag flag, ParseResult parsed)
    {
        if (flag.Symbol is Argument argument)
        {
            return parsed.GetResult(argument) is { Tokens.Count: > 0 } given ? Texts(given) : null;
        }

        if (parsed.GetResult((Option)flag.Symbol) is not { Implicit: false } option)
        {
            return null;
        }

        string[] texts = option.Tokens.Count == 0 && flag.IsSwitch ? ["true"] : Texts(option);
        var name = $"--{flag.Name}";
        OptionText.Require(texts.Length > 0, name, null, "has no value", $"{name} {flag.Unit}");
        OptionText.Require(flag.IsList || option.IdentifierTokenCount == 1, name, texts[^1], "given more than once", "giving it once");
        return texts;
    }

    private static string[] Texts(SymbolResult result) => [.. result.Tokens.Select(token => token.Value)];
}
