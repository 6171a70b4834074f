using Whip.Hosting.Programs;

namespace Whip.Hosting.Flags;

/// <summary>Turns a command line, the environment and the configuration file into the values of a <see cref="FlagSet"/>.</summary>
internal static class FlagParser
{
    private static readonly string[] HelpNames = ["--help", "-h", "-?"];

    public static FlagValues Parse(FlagSet flags, IReadOnlyList<string> args, Func<string, string?> variable)
    {
        var options = args.TakeWhile(a => a != "--").ToArray();
        if (options.Any(HelpNames.Contains))
        {
            return new FlagValues(flags.Common, new Dictionary<Flag, object?>()) { Answer = FlagHelp.Describe(flags) };
        }

        if (options.Contains("--version"))
        {
            return new FlagValues(flags.Common, new Dictionary<Flag, object?>()) { Answer = $"{BuildInfo.Describe(flags.Program)}\n" };
        }

        var commandLine = ReadCommandLine(flags, args);
        var config = Value(flags, flags.Common.Config, commandLine, variable, []) is string { Length: > 0 } path
            ? FlagConfig.Read(flags, path)
            : [];
        var all = flags.Positional is null ? flags.All : [.. flags.All, flags.Positional];
        return new FlagValues(flags.Common, all.ToDictionary(f => f, f => Value(flags, f, commandLine, variable, config)));
    }

    private static object? Value(
        FlagSet flags, Flag flag, Dictionary<Flag, List<string>> commandLine, Func<string, string?> variable, Dictionary<Flag, FlagConfig.Entry> config)
    {
        if (commandLine.TryGetValue(flag, out var texts))
        {
            return flag.Read(flag == flags.Positional ? flag.Name : $"--{flag.Name}", texts);
        }

        if (variable(flag.Variable) is { } text)
        {
            return flag.Read(flag.Variable, [text]);
        }

        return config.TryGetValue(flag, out var entry) ? flag.Read(entry.Source, entry.Texts) : flag.Read("", null);
    }

    private static Dictionary<Flag, List<string>> ReadCommandLine(FlagSet flags, IReadOnlyList<string> args)
    {
        var given = new Dictionary<Flag, List<string>>();
        var flagsEnded = false;
        for (var i = 0; i < args.Count; i++)
        {
            if (args[i] == "--" && !flagsEnded)
            {
                flagsEnded = true;
                continue;
            }

            var isFlag = !flagsEnded && args[i].StartsWith('-') && args[i].Length > 1;
            var (flag, text) = isFlag
                ? ReadFlag(flags, args, ref i)
                : (flags.Positional ?? throw new StartupException(args[i], null, $"{flags.Program} takes no such argument", "--help"), args[i]);
            if (!given.TryAdd(flag, [text]))
            {
                given[flag].Add(flag.IsList ? text : throw new StartupException($"--{flag.Name}", text, "given more than once", "giving it once"));
            }
        }

        return given;
    }

    private static (Flag Flag, string Text) ReadFlag(FlagSet flags, IReadOnlyList<string> args, ref int index)
    {
        var parts = args[index].Split('=', 2);
        var flag = flags.All.FirstOrDefault(f => $"--{f.Name}" == parts[0])
            ?? throw new StartupException(parts[0], null, $"{flags.Program} has no such flag", "--help");
        if (parts.Length == 2)
        {
            return (flag, parts[1]);
        }

        var next = index + 1 < args.Count ? args[index + 1] : null;
        if (flag.IsSwitch && !bool.TryParse(next, out _))
        {
            return (flag, "true");
        }

        index++;
        return (flag, next ?? throw new StartupException(parts[0], null, "has no value", $"{parts[0]} {flag.Unit}"));
    }
}
