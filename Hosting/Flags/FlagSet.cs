using System.CommandLine;
using System.Text.Json;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;
using Whip.Protocol.Via;

namespace Whip.Hosting.Flags;

/// <summary>
/// The flags of one command. Each is read from the command line (<c>--name VALUE</c> or <c>--name=VALUE</c>), else from the environment
/// (<c>WHIP_NAME</c>), else from the JSON file that <c>--config</c> names (key <c>name</c>), else its property keeps its default.
/// </summary>
internal class FlagSet
{
    private readonly Func<ICheckedOptions> _newOptions;
    private readonly ICheckedOptions _defaults;
    private readonly List<Flag> _own = [];
    private readonly List<Flag> _inherited = [];

    protected FlagSet(string name, string description, Func<ICheckedOptions> newOptions)
    {
        (Name, Description, _newOptions) = (name, description, newOptions);
        _defaults = newOptions();
    }

    public string Name { get; }

    public string Description { get; }

    /// <summary>The command's own, then those of the command above it, then those that every command has.</summary>
    public IEnumerable<Flag> All => [.. _own, .. _inherited, .. Common, Config];

    /// <summary>Programs share their environment with the tools that look at them, so only a program takes this one from it.</summary>
    public Flag Config => field ??= new Flag("config", nameof(FlagValues.Config), static (_, text) => text)
    {
        Unit = "FILE",
        Help = "A JSON file with values for the flags that are given nowhere else; its keys are their names.",
        DefaultText = "",
        HasVariable = IsProgram,
    };

    protected virtual bool IsProgram => false;

    protected virtual IReadOnlyList<Flag> Common => [];

    /// <summary>Everything at its default.</summary>
    public virtual FlagValues NewValues() => new(this, _newOptions());

    public Command NewCommand()
    {
        var command = new Command(Name.Split(' ')[^1], Description);
        foreach (var symbol in All.Except(_inherited).Select(flag => flag.Symbol))
        {
            if (symbol is Argument argument)
            {
                command.Add(argument);
            }
            else
            {
                command.Add((Option)symbol);
            }
        }

        return command;
    }

    /// <summary>Adds the flags to a command whose subcommands have them, so that they may also stand before the subcommand's name.</summary>
    public void ShareWith(Command parent)
    {
        foreach (var option in _own.Select(flag => (Option)flag.Symbol))
        {
            option.Recursive = true;
            parent.Add(option);
        }
    }

    /// <summary>Flags of the command above this one; see <see cref="ShareWith"/>.</summary>
    protected void Inherit(FlagSet shared) => _inherited.AddRange([.. shared._own, .. shared._inherited]);

    /// <summary>
    /// A flag for a property that is a text, a switch, a duration, a choice or a list of texts. Its name is the property's in kebab case,
    /// unless another one is given. A switch and an enumeration have no unit.
    /// </summary>
    protected void Add(string property, string unit, string help, string? name = null, bool isSecret = false, bool isRestriction = false) =>
        _own.Add(Define(_defaults, property, unit, help, name, isSecret: isSecret, isRestriction: isRestriction));

    /// <summary>A flag for a property of a type of its own.</summary>
    /// <param name="property">Its property.</param>
    /// <param name="unit">The kind of value, for help.</param>
    /// <param name="help">What it does.</param>
    /// <param name="read">Converts the name for errors and a text to the value.</param>
    /// <param name="name">Null: the property's in kebab case.</param>
    /// <param name="json">The JSON kind of its value.</param>
    /// <param name="defaultText">Null: the property's value; else what the help says instead.</param>
    protected void Add(
        string property,
        string unit,
        string help,
        Func<string, string, object?> read,
        string? name = null,
        JsonValueKind json = JsonValueKind.String,
        string? defaultText = null) =>
        _own.Add(Define(_defaults, property, unit, help, name, read, json, defaultText: defaultText));

    /// <summary>A flag for a number or a list of numbers.</summary>
    protected void AddNumber(string property, string unit, string help, int min, int max, string? name = null) =>
        Add(property, unit, help, (source, text) => OptionText.Number(source, text, min, max), name, JsonValueKind.Number);

    /// <summary>The arguments that are no flags; also read from the environment and the file, under <paramref name="name"/>.</summary>
    protected void AddPositional(string property, string unit, string help, string? name = null, Func<string, string, object?>? read = null) =>
        _own.Insert(0, Define(_defaults, property, unit, help, name, read, isPositional: true));

    /// <summary>The flags of the TLS options, which stand in <c>Tls</c> of the options.</summary>
    protected IEnumerable<Flag> TlsFlags(string help)
    {
        return [
            Of(nameof(WhipTlsOptions.Enabled), "", help, "tls"),
            Of(nameof(WhipTlsOptions.KeyPath), "FILE", "The private key, PEM."),
            Of(nameof(WhipTlsOptions.CertPath), "FILE", "The certificate and its intermediates, PEM."),
            Of(nameof(WhipTlsOptions.CaCertPath), "FILE", "The CAs whose peers are accepted, PEM."),
            Of(nameof(WhipTlsOptions.DenyPath), "FILE", "Certificates to refuse: a name pattern or ISSUER-KEY-ID:SERIAL per line; reloaded.", "deny"),
        ];

        Flag Of(string property, string unit, string help, string? name = null) =>
            Define(
                _defaults, $"{nameof(ICheckedOptions.Tls)}.{property}", unit, help, name,
                isRestriction: property == nameof(WhipTlsOptions.DenyPath));
    }

    /// <summary>The flags of the proxy to the brokers.</summary>
    /// <param name="path">Of its options, with the dot behind it.</param>
    protected void AddVia(string path)
    {
        Add(
            $"{path}{nameof(WhipViaOptions.Proxy)}", "URL",
            "The HTTP proxy through which brokers are reached, http://[USER[:PASSWORD]@]HOST:PORT, or off. Default: as https_proxy and no_proxy say.",
            "via", isSecret: true);
        Add($"{path}{nameof(WhipViaOptions.PasswordPath)}", "FILE", "The file that holds the password of the user in --via.", "via-password-path");
    }

    protected void AddTls(string help) => _own.AddRange(TlsFlags(help));

    protected static Flag Define(
        object defaults,
        string property,
        string unit,
        string help,
        string? name,
        Func<string, string, object?>? read = null,
        JsonValueKind json = JsonValueKind.String,
        bool isSecret = false,
        bool isPositional = false,
        string of = nameof(FlagValues.Options),
        string? defaultText = null,
        bool isRestriction = false,
        bool ignoresEmptyVariable = false)
    {
        var (owner, info) = Flag.Find(defaults, property);
        var type = info.PropertyType;
        var choices = type.IsEnum ? Enum.GetNames(type).Select(FlagNames.Kebab).ToArray() : [];
        read ??= type == typeof(bool) ? static (source, text) => OptionText.Switch(source, text)
            : type == typeof(TimeSpan) ? static (source, text) => OptionText.Duration(source, text)
            : type.IsEnum ? (source, text) => Enum.GetValues(type).GetValue(Array.IndexOf(choices, OptionText.Choice(source, text, choices)))
            : static (_, text) => text;
        return new Flag(name ?? FlagNames.Kebab(property), $"{of}.{property}", read)
        {
            Unit = type.IsEnum ? string.Join('|', choices) : unit,
            Help = help,
            DefaultText = defaultText ?? Flag.Text(info.GetValue(owner)),
            Json = type == typeof(bool) ? JsonValueKind.True : json,
            IsList = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IList<>),
            IsSecret = isSecret,
            IsPositional = isPositional,
            IsRestriction = isRestriction,
            IgnoresEmptyVariable = ignoresEmptyVariable,
        };
    }
}
