using System.Text.Json;
using Whip.Protocol.Options;
using Whip.Protocol.Tls;

namespace Whip.Hosting.Flags;

/// <summary>
/// The flags of one program. Each is read from the command line (<c>--name VALUE</c> or <c>--name=VALUE</c>), else from the environment
/// (<c>WHIP_NAME</c>), else from the JSON file that <c>--config</c> names (key <c>name</c>), else its property keeps its default.
/// </summary>
internal abstract class FlagSet
{
    private const string ListenUnit = "HOST:PORT";

    private readonly Func<ICheckedOptions> _newOptions;
    private readonly string _metricsListen;
    private readonly FlagValues _defaults;
    private readonly List<Flag> _own = [];
    private readonly List<Flag> _common;

    /// <param name="program">The program's name in help, errors and <c>--version</c>.</param>
    /// <param name="description">One sentence for help.</param>
    /// <param name="newOptions">The options of the program's part, with its defaults.</param>
    /// <param name="metricsListen">The default of <c>--metrics-listen</c>.</param>
    protected FlagSet(string program, string description, Func<ICheckedOptions> newOptions, string metricsListen = "off")
    {
        (Program, Description, _newOptions, _metricsListen) = (program, description, newOptions, metricsListen);
        _defaults = NewValues();
        Config = OfProgram(
            nameof(ProgramOptions.Config), "FILE", "A JSON file with values for the flags that are given nowhere else; its keys are their names.");
        _common =
        [
            OfTls(
                nameof(WhipTlsOptions.Enabled), "",
                "Mutual TLS on every connection of Whip. When false, :PORT listens on the loopback interface only.", "tls"),
            OfTls(nameof(WhipTlsOptions.KeyPath), "FILE", "The private key, PEM."),
            OfTls(nameof(WhipTlsOptions.CertPath), "FILE", "The certificate and its intermediates, PEM."),
            OfTls(nameof(WhipTlsOptions.CaCertPath), "FILE", "The CAs whose peers are accepted, PEM."),
            OfProgram(nameof(ProgramOptions.MetricsListen), ListenUnit, "Where to serve /metrics, /healthz and /readyz; off is nowhere."),
            OfProgram(nameof(ProgramOptions.LogLevel), string.Join('|', ProgramOptions.LogLevels), "The least severe log records that are written."),
            OfProgram(nameof(ProgramOptions.LogFormat), string.Join('|', ProgramOptions.LogFormats), "How log records are written to standard error."),
            Config,
        ];
    }

    public string Program { get; }

    public string Description { get; }

    /// <summary>The program's own, then those that every program has.</summary>
    public IEnumerable<Flag> All => [.. _own, .. _common];

    public Flag Config { get; }

    /// <exception cref="WhipOptionException">The first thing that is wrong, as the user named it.</exception>
    public FlagValues Parse(IReadOnlyList<string> args, Func<string, string?> variable) => new FlagParser(this, variable).Parse(args);

    /// <summary>Everything at its default.</summary>
    public FlagValues NewValues(string? answer = null) => new(this, _newOptions(), _metricsListen) { Answer = answer };

    /// <summary>A flag for a property that is a text, a switch, a duration, a choice or a list of texts.</summary>
    /// <param name="property">Of the options class.</param>
    /// <param name="unit">The kind of value, for help; empty for a switch and for a choice of an enumeration.</param>
    /// <param name="help">What it is for.</param>
    /// <param name="name">When it is not the property's in kebab case.</param>
    /// <param name="isSecret">It is never logged.</param>
    protected void Add(string property, string unit, string help, string? name = null, bool isSecret = false) =>
        _own.Add(Define(property, unit, help, name, isSecret: isSecret));

    /// <summary>A flag for a property of a type of its own.</summary>
    protected void Add(string property, string unit, string help, Func<string, string, object?> read, string? name = null) =>
        _own.Add(Define(property, unit, help, name, read));

    /// <summary>A flag for a number or a list of numbers.</summary>
    protected void AddNumber(string property, string unit, string help, int min, int max, string? name = null) =>
        _own.Add(Define(property, unit, help, name, (source, text) => OptionText.Number(source, text, min, max), JsonValueKind.Number));

    /// <summary>The arguments that are no flags; also read from the environment and the file, under <paramref name="name"/>.</summary>
    protected void AddPositional(string property, string unit, string help, string name) =>
        _own.Insert(0, Define(property, unit, help, name, isPositional: true));

    private Flag OfTls(string property, string unit, string help, string? name = null) =>
        Define($"{nameof(ICheckedOptions.Tls)}.{property}", unit, help, name);

    private Flag OfProgram(string property, string unit, string help) => Define(property, unit, help, null, of: nameof(FlagValues.Program));

    private Flag Define(
        string property,
        string unit,
        string help,
        string? name,
        Func<string, string, object?>? read = null,
        JsonValueKind json = JsonValueKind.String,
        bool isSecret = false,
        bool isPositional = false,
        string of = nameof(FlagValues.Options))
    {
        var path = $"{of}.{property}";
        var (owner, info) = Flag.Find(_defaults, path);
        var type = info.PropertyType;
        var isList = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IList<>);
        var choices = type.IsEnum ? Enum.GetNames(type).Select(FlagNames.Kebab).ToArray() : [];
        read ??= type == typeof(bool) ? static (source, text) => OptionText.Switch(source, text)
            : type == typeof(TimeSpan) ? static (source, text) => OptionText.Duration(source, text)
            : type.IsEnum ? (source, text) => Enum.GetValues(type).GetValue(Array.IndexOf(choices, OptionText.Choice(source, text, choices)))
            : static (_, text) => text;
        return new Flag(name ?? FlagNames.Kebab(property), path, read)
        {
            Unit = type.IsEnum ? string.Join('|', choices) : unit,
            Help = help,
            DefaultText = Flag.Text(info.GetValue(owner)),
            Json = type == typeof(bool) ? JsonValueKind.True : json,
            IsList = isList,
            IsSecret = isSecret,
            IsPositional = isPositional,
        };
    }
}
