using System.CommandLine;
using System.CommandLine.Help;
using Whip.Hosting.Programs;
using Whip.Protocol.Options;

namespace Whip.Hosting.Flags;

/// <summary>The flags of a program that serves: its own, and those for TLS, metrics, logs and the configuration file.</summary>
internal abstract class ProgramFlags : FlagSet
{
    private readonly string _metricsListen;
    private readonly HelpOption _help = new() { Description = "Prints this.", Action = new HelpAction { MaxWidth = CommandLine.HelpWidth } };
    private readonly Option<bool> _version = new("--version") { Description = "Prints the version." };

    protected ProgramFlags(string program, string description, Func<ICheckedOptions> newOptions, string metricsListen = "off")
        : base(program, description, newOptions)
    {
        _metricsListen = metricsListen;
        var defaults = new ProgramOptions { MetricsListen = metricsListen };
        Common =
        [
            .. TlsFlags("Mutual TLS on every connection of Whip. When false, :PORT listens on the loopback interface only."),
            Of(nameof(defaults.MetricsListen), "HOST:PORT", "Where to serve /metrics, /healthz and /readyz; off is nowhere."),
            Of(nameof(defaults.LogLevel), string.Join('|', LineFormatter.Levels), "The least severe log records that are written."),
            Of(nameof(defaults.LogFormat), $"{LineFormatter.Text}|{LineFormatter.Json}", "How log records are written to standard error."),
        ];

        Flag Of(string property, string unit, string help) =>
            Define(
                defaults, property, unit, help, null, of: nameof(FlagValues.Program),
                ignoresEmptyVariable: property is nameof(ProgramOptions.LogLevel) or nameof(ProgramOptions.LogFormat));
    }

    protected override bool IsProgram => true;

    protected override IReadOnlyList<Flag> Common { get; }

    public override FlagValues NewValues()
    {
        var values = base.NewValues();
        values.Program.MetricsListen = _metricsListen;
        return values;
    }

    /// <returns>The values, or what to print instead of starting: help or the version.</returns>
    /// <exception cref="WhipOptionException">The first thing that is wrong, as the user named it.</exception>
    public (FlagValues Values, string? Answer) Parse(IReadOnlyList<string> args, Func<string, string?> variable)
    {
        var command = NewCommand();
        var line = new CommandLine(args, variable);
        command.Description += $"\n{CommandLine.Sources}\nAddresses to listen on are HOST:PORT or :PORT; port 0 picks a free one. {CommandLine.Durations}";
        command.Add(_help);
        command.Add(_version);
        var parsed = line.Parse(command);
        if (parsed.GetResult(_help) is { Implicit: false })
        {
            using var help = new StringWriter();
            parsed.Invoke(new InvocationConfiguration { Output = help });
            return (NewValues(), $"{BuildInfo.Describe(Name)}\n\n{help}");
        }

        return parsed.GetResult(_version) is { Implicit: false }
            ? (NewValues(), $"{BuildInfo.Describe(Name)}\n")
            : (line.Read(this, parsed), null);
    }
}
