using System.Collections;
using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Whip.Protocol.Options;

namespace Whip.Hosting.Flags;

/// <summary>One flag: its name in each source, and the property for its value.</summary>
internal sealed class Flag
{
    /// <summary>For <see cref="Json"/>: either kind.</summary>
    public const JsonValueKind NumberOrText = JsonValueKind.Undefined;

    private readonly Func<string, string, object?> _read;
    private Symbol? _symbol;

    /// <param name="name">In kebab case, without the dashes: also its key in the configuration file.</param>
    /// <param name="property">The path of its property from a <see cref="FlagValues"/>, such as <c>Options.Tls.CertPath</c>.</param>
    /// <param name="read">Converts the name for errors and a text to the value, or to one element of a list.</param>
    public Flag(string name, string property, Func<string, string, object?> read) => (Name, Property, _read) = (name, property, read);

    public string Name { get; }

    public string Property { get; }

    /// <summary>Null: no variable sets it.</summary>
    public string? Variable => HasVariable ? FlagNames.Variable(Name) : null;

    public bool HasVariable { get; init; } = true;

    /// <summary>The kind of value, for help; empty for a switch.</summary>
    public required string Unit { get; init; }

    public required string Help { get; init; }

    /// <summary>The default as a user would write it; empty when there is none.</summary>
    public required string DefaultText { get; init; }

    /// <summary>The JSON kind of its value, or of each element of a list; a switch is <see cref="JsonValueKind.True"/>.</summary>
    public JsonValueKind Json { get; init; } = JsonValueKind.String;

    /// <summary>May be repeated; each text may hold several values with commas between.</summary>
    public bool IsList { get; init; }

    /// <summary>Never logged, nor shown in an error.</summary>
    public bool IsSecret { get; init; }

    /// <summary>It restricts who may do something: an empty value, which would restrict nobody, is refused.</summary>
    public bool IsRestriction { get; init; }

    /// <summary>An empty variable is as one that is not set.</summary>
    public bool IgnoresEmptyVariable { get; init; }

    /// <summary>Takes the arguments that are no flags.</summary>
    public bool IsPositional { get; init; }

    public bool IsSwitch => Json == JsonValueKind.True;

    /// <summary>The name in an error about a value that was not given.</summary>
    public string Invitation => IsPositional ? Unit : IsSecret ? Variable! : $"--{Name}";

    /// <summary>
    /// For System.CommandLine, which finds what was given. The texts are read here, because they may also come from elsewhere. It is made
    /// once, so that several commands can share a flag.
    /// </summary>
    public Symbol Symbol => _symbol ??= NewSymbol();

    /// <exception cref="WhipOptionException">A text is not a value of this flag.</exception>
    public void Set(FlagValues values, string source, IReadOnlyList<string> texts)
    {
        OptionText.Require(
            !IsRestriction || texts.Any(text => OptionText.Split(text).Length > 0),
            source, "", "is empty, and would restrict nobody", $"{Unit}, or no such flag");
        var (owner, property) = Find(values, Property);
        if (IsList)
        {
            var list = (IList)property.GetValue(owner)!;
            list.Clear();
            foreach (var text in texts.SelectMany(OptionText.Split))
            {
                list.Add(_read(source, text));
            }
        }
        else if (texts[0].Length > 0 || property.GetValue(owner) is not null)
        {
            property.SetValue(owner, _read(source, texts[0]));
        }
    }

    /// <exception cref="ArgumentException">There is no such property.</exception>
    public static (object Owner, PropertyInfo Property) Find(object owner, string path)
    {
        var names = path.Split('.');
        foreach (var name in names[..^1])
        {
            owner = owner.GetType().GetProperty(name)!.GetValue(owner)!;
        }

        return (owner, owner.GetType().GetProperty(names[^1]) ?? throw new ArgumentException($"{owner.GetType().Name} has no {names[^1]}.", nameof(path)));
    }

    private Symbol NewSymbol()
    {
        // Of an argument nothing else tells the key.
        var key = IsPositional ? $", key {Name}" : "";
        var description = $"{Help}{(IsList ? " Repeatable, or with commas." : "")} [{(HasVariable ? $"{Variable}{key}; " : "")}"
            + (DefaultText.Length == 0 ? "no default]" : $"default {DefaultText}]");
        return IsPositional && IsList ? new Argument<string[]>(Unit) { Description = description, Arity = ArgumentArity.ZeroOrMore }
            : IsPositional ? new Argument<string>(Unit) { Description = description, Arity = ArgumentArity.ZeroOrOne }
            : IsSwitch ? new Option<bool>($"--{Name}") { Description = description }
            : IsList ? new Option<string[]>($"--{Name}") { Description = description, HelpName = Unit }
            : new Option<string>($"--{Name}") { Description = description, HelpName = Unit };
    }

    /// <summary>A value as a user would write it.</summary>
    public static string Text(object? value) => value switch
    {
        null => "",
        bool set => set ? "true" : "false",
        TimeSpan time => GoDuration.Format(time),
        Enum choice => FlagNames.Kebab($"{choice}"),
        string text => text,
        IEnumerable list => string.Join(',', list.Cast<object>().Select(Text)),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
