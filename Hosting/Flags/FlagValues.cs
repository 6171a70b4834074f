using Whip.Protocol.Options;

namespace Whip.Hosting.Flags;

/// <summary>What one start of a program was told, and where.</summary>
internal sealed class FlagValues(FlagSet flags, ICheckedOptions options, string metricsListen)
{
    private readonly Dictionary<Flag, (string Source, string Text)> _given = [];

    /// <summary>Help or the version, to be printed instead of starting; then everything has its default.</summary>
    public string? Answer { get; init; }

    /// <summary>Of the program's own part.</summary>
    public ICheckedOptions Options { get; } = options;

    public ProgramOptions Program { get; } = new() { MetricsListen = metricsListen };

    /// <summary>For <see cref="ListenAddress.Resolve"/>: without TLS, <c>:PORT</c> is the loopback interface.</summary>
    public bool LoopbackOnly => !Options.Tls.Enabled;

    /// <summary>The addresses to listen on, but for the metrics, that are spelled out as all interfaces; by flag.</summary>
    public IEnumerable<(string Flag, ListenAddress Address)> Wildcards =>
        from flag in flags.All
        where flag.Name.EndsWith("-listen", StringComparison.Ordinal) && flag.Property != $"{nameof(Program)}.{nameof(ProgramOptions.MetricsListen)}"
        let address = ListenAddress.ParseOrOff(flag.Name, this[flag.Name])
        where address is { IsWildcard: true }
        select ($"--{flag.Name}", address);

    /// <summary>Every flag, its value and where that comes from, in one line; a secret is masked.</summary>
    public string Summary => string.Join(", ", flags.All.Select(flag =>
    {
        var (source, text) = Of(flag);
        return $"{flag.Name}={(flag.IsSecret && text.Length > 0 ? "***" : text)} ({source})";
    }));

    /// <summary>The value of a flag as the user wrote it, or would.</summary>
    public string this[string flag] => Of(flags.All.Single(f => f.Name == flag)).Text;

    /// <exception cref="WhipOptionException">A text is not a value of the flag.</exception>
    public void Set(Flag flag, string source, IReadOnlyList<string> texts)
    {
        _given[flag] = (source, string.Join(',', texts));
        flag.Set(this, source, texts);
    }

    /// <summary>What the user calls an option of the parts: where its value was given, else its flag.</summary>
    public string NameOf(string option) =>
        flags.All.FirstOrDefault(flag => flag.Property.EndsWith($".{option}", StringComparison.Ordinal)) is { } flag
            ? _given.TryGetValue(flag, out var given) ? given.Source : flag.Invitation
            : option;

    private (string Source, string Text) Of(Flag flag) => _given.GetValueOrDefault(flag, ("default", flag.DefaultText));

    /// <exception cref="WhipOptionException">The first option that cannot work, by the name that the user gave it.</exception>
    public void Check()
    {
        try
        {
            Program.Check();
            Options.Check();
        }
        catch (WhipOptionException error)
        {
            throw error.Named(NameOf);
        }
    }
}
