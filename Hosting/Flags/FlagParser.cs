using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using Whip.Hosting.Programs;
using Whip.Protocol.Options;

namespace Whip.Hosting.Flags;

/// <summary>Turns a command line, the environment and the configuration file into the values of a <see cref="FlagSet"/>.</summary>
internal sealed class FlagParser
{
    private const int HelpWidth = 130;
    private const string Sources =
        "A flag (--flag VALUE or --flag=VALUE) is taken from the command line, else from its variable, else from the --config file, else it has its default.";

    private const string Values = "Addresses to listen on are HOST:PORT or :PORT; port 0 picks a free one. Durations are such as 250ms, 5s, 1m30s, 720h.";

    private static readonly ParserConfiguration Configuration = new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false };

    private readonly FlagSet _flags;
    private readonly Func<string, string?> _variable;
    private readonly Dictionary<Flag, Symbol> _symbols;
    private readonly HelpOption _help = new() { Description = "Prints this.", Action = new HelpAction { MaxWidth = HelpWidth } };
    private readonly Option<bool> _version = new("--version") { Description = "Prints the version." };

    public FlagParser(FlagSet flags, Func<string, string?> variable)
    {
        (_flags, _variable) = (flags, variable);
        _symbols = flags.All.ToDictionary(flag => flag, flag => flag.ToSymbol());
    }

    /// <exception cref="WhipOptionException">The first thing that is wrong, as the user named it.</exception>
    public FlagValues Parse(IReadOnlyList<string> args)
    {
        var parsed = Command().Parse(FlagNames.WithEmptyValues(args), Configuration);
        if (parsed.GetResult(_help) is { Implicit: false })
        {
            using var help = new StringWriter();
            parsed.Invoke(new InvocationConfiguration { Output = help });
            return _flags.NewValues($"{BuildInfo.Describe(_flags.Program)}\n\n{help}");
        }

        if (parsed.GetResult(_version) is { Implicit: false })
        {
            return _flags.NewValues($"{BuildInfo.Describe(_flags.Program)}\n");
        }

        RefuseStrays(parsed, args);
        var values = _flags.NewValues();
        Read(values, _flags.Config, parsed, []);
        Dictionary<Flag, FlagConfig.Entry> file = [];
        if (values.Program.Config is { } path)
        {
            file = FlagConfig.Read(_flags, OptionText.File(values.NameOf(nameof(ProgramOptions.Config)), path));
        }

        foreach (var flag in _flags.All.Where(flag => flag != _flags.Config))
        {
            Read(values, flag, parsed, file);
        }

        values.Check();
        return values;
    }

    private Command Command()
    {
        var command = new Command(_flags.Program, $"{_flags.Description}\n{Sources}\n{Values}") { _help, _version };
        foreach (var option in _symbols.Values.OfType<Option>())
        {
            command.Add(option);
        }

        foreach (var argument in _symbols.Values.OfType<Argument>())
        {
            command.Add(argument);
        }

        return command;
    }

    /// <summary>System.CommandLine takes an unknown flag, and the value of a switch that is neither true nor false, for an argument.</summary>
    private void RefuseStrays(ParseResult parsed, IReadOnlyList<string> args)
    {
        foreach (var arg in args.TakeWhile(arg => arg != "--"))
        {
            if (arg.Split('=', 2) is [var name, var text] && _flags.All.Any(flag => flag.IsSwitch && $"--{flag.Name}" == name))
            {
                OptionText.Switch(name, text);
            }
        }

        var taken = _symbols.Values.OfType<Argument>().SelectMany(argument => parsed.GetResult(argument)?.Tokens ?? []).Select(token => token.Value);
        if (taken.Concat(parsed.UnmatchedTokens).FirstOrDefault(arg => arg.Length > 1 && arg[0] == '-') is { } unknown)
        {
            throw new WhipOptionException(unknown.Split('=')[0], null, $"{_flags.Program} has no such flag", "--help");
        }

        if (parsed.UnmatchedTokens is [var stray, ..])
        {
            throw new WhipOptionException(stray, null, $"{_flags.Program} takes no such argument", "--help");
        }
    }

    private void Read(FlagValues values, Flag flag, ParseResult parsed, Dictionary<Flag, FlagConfig.Entry> file)
    {
        if (Given(flag, parsed) is { } texts)
        {
            values.Set(flag, flag.IsPositional ? flag.Name : $"--{flag.Name}", texts);
        }
        else if (_variable(flag.Variable) is { } text)
        {
            values.Set(flag, flag.Variable, [text]);
        }
        else if (file.TryGetValue(flag, out var entry))
        {
            values.Set(flag, entry.Source, entry.Texts);
        }
    }

    /// <summary>Null: not on the command line.</summary>
    private string[]? Given(Flag flag, ParseResult parsed)
    {
        if (_symbols[flag] is Argument argument)
        {
            return parsed.GetResult(argument) is { Tokens.Count: > 0 } given ? Texts(given) : null;
        }

        if (parsed.GetResult((Option)_symbols[flag]) is not { Implicit: false } option)
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
