using System.Text.Json;

namespace Whip.Hosting.Flags;

/// <summary>
/// The flags of one program. Each is read from the command line (<c>--name VALUE</c> or <c>--name=VALUE</c>), else from the environment
/// (<c>WHIP_NAME</c>), else from the JSON file that <c>--config</c> names (key <c>name</c>), else it has its default.
/// </summary>
internal sealed class FlagSet
{
    private readonly List<Flag> _flags = [];

    /// <param name="program">The program's name in help, errors and <c>--version</c>.</param>
    /// <param name="description">One sentence for help.</param>
    /// <param name="metricsListen">The default of <c>--metrics-listen</c>; empty is off.</param>
    public FlagSet(string program, string description, string metricsListen = "")
    {
        Program = program;
        Description = description;
        Common = new CommonFlags(this, metricsListen);
    }

    public string Program { get; }

    public string Description { get; }

    public CommonFlags Common { get; }

    /// <summary>The arguments that are no flags; null when the program takes none.</summary>
    public Flag? Positional { get; private set; }

    public IReadOnlyList<Flag> All => _flags;

    public Flag<string> Text(string name, string defaultValue, string help, string unit = "TEXT") =>
        One(name, defaultValue, defaultValue, unit, help, (_, text) => text);

    public Flag<IReadOnlyList<string>> Texts(string name, string help, string unit = "TEXT") =>
        Many(name, unit, help, JsonValueKind.String, (_, text) => text);

    public Flag<bool> Switch(string name, bool defaultValue, string help) =>
        One(name, defaultValue, defaultValue ? "true" : "false", "", help, FlagText.Switch, JsonValueKind.True);

    public Flag<int> Number(string name, int defaultValue, string help, int min, int max, string unit = "NUMBER") =>
        One(name, defaultValue, $"{defaultValue}", unit, help, (source, text) => FlagText.Number(source, text, min, max), JsonValueKind.Number);

    /// <summary>A port to listen on; 0 is any free one.</summary>
    public Flag<int> Port(string name, int defaultValue, string help) => Number(name, defaultValue, help, 0, 65535, "PORT");

    /// <summary>Ports that are served or reached: 1 to 65535.</summary>
    public Flag<IReadOnlyList<int>> Ports(string name, string help) =>
        Many(name, "PORT,...", help, JsonValueKind.Number, (source, text) => FlagText.Number(source, text, 1, 65535));

    /// <summary>Where to listen, never null.</summary>
    public Flag<ListenAddress> Listen(string name, string defaultValue, string help) =>
        One(name, FlagText.Listen(name, defaultValue), defaultValue, "HOST:PORT", help, FlagText.Listen);

    /// <summary>Where to listen; empty text is off, and null.</summary>
    public Flag<ListenAddress?> ListenOrOff(string name, string defaultValue, string help)
    {
        return One(name, Read(name, defaultValue), defaultValue.Length == 0 ? "off" : defaultValue, "HOST:PORT", help + " Empty is off.", Read);

        static ListenAddress? Read(string source, string text) => text is "" or "off" ? null : FlagText.Listen(source, text);
    }

    /// <summary>A host and port to connect to; empty text when not given.</summary>
    public Flag<string> HostPort(string name, string help) =>
        One(name, "", "", "HOST:PORT", help, (source, text) => text.Length == 0 ? "" : FlagText.EndPoint(source, text));

    public Flag<IReadOnlyList<string>> HostPorts(string name, string help) =>
        Many(name, "HOST:PORT", help, JsonValueKind.String, FlagText.EndPoint);

    /// <summary>At most 1,000 hours.</summary>
    public Flag<TimeSpan> Duration(string name, TimeSpan defaultValue, string help) =>
        One(name, defaultValue, FlagText.Format(defaultValue), "DURATION", help, FlagText.Duration);

    public Flag<string> Choice(string name, string defaultValue, string help, params string[] choices) =>
        One(name, defaultValue, defaultValue, string.Join('|', choices), help, (source, text) => FlagText.Choice(source, text, choices));

    /// <summary>A file that exists; empty text when not given.</summary>
    public Flag<string> File(string name, string help) =>
        One(name, "", "", "FILE", help, (source, text) => text.Length == 0 ? "" : FlagText.File(source, text));

    /// <summary>The arguments that are no flags, as <c>HOST:PORT</c>, or <c>:PORT</c> of this machine; also read from the environment and the file under <paramref name="name"/>.</summary>
    public Flag<IReadOnlyList<string>> PositionalHostPorts(string name, string help)
    {
        var flag = Many(name, "HOST:PORT", help, JsonValueKind.String, FlagText.EndPointOrLocal);
        _flags.Remove(flag);
        Positional = flag;
        return flag;
    }

    /// <exception cref="StartupException">The first thing that is wrong.</exception>
    public FlagValues Parse(IReadOnlyList<string> args, Func<string, string?> variable) => FlagParser.Parse(this, args, variable);

    private Flag<T> One<T>(
        string name, T defaultValue, string defaultText, string unit, string help, Func<string, string, T> read, JsonValueKind json = JsonValueKind.String) =>
        Add(new Flag<T>(name, defaultValue, (source, texts) => read(source, texts[0]))
        {
            Unit = unit,
            Help = help,
            DefaultText = defaultText,
            Json = json,
        });

    private Flag<IReadOnlyList<T>> Many<T>(string name, string unit, string help, JsonValueKind json, Func<string, string, T> read) =>
        Add(new Flag<IReadOnlyList<T>>(name, [], (source, texts) => [.. texts.SelectMany(Split).Select(text => read(source, text))])
        {
            Unit = unit,
            Help = help,
            DefaultText = "",
            Json = json,
            IsList = true,
        });

    private static string[] Split(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private TFlag Add<TFlag>(TFlag flag)
        where TFlag : Flag
    {
        _flags.Add(flag);
        return flag;
    }
}
