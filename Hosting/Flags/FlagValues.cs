using Whip.Protocol.Options;

namespace Whip.Hosting.Flags;

/// <summary>The values of a command's flags, and where each was given.</summary>
internal sealed class FlagValues(FlagSet flags, ICheckedOptions options)
{
    private readonly Dictionary<Flag, (string Source, string Text)> _given = [];

    /// <summary>The command's own options.</summary>
    public ICheckedOptions Options { get; } = options;

    /// <summary>Of <see cref="ProgramFlags"/>.</summary>
    public ProgramOptions Program { get; } = new();

    public string? Config { get; set; }

    /// <summary>For <see cref="ListenAddress.Resolve"/>: without TLS, <c>:PORT</c> is the loopback interface.</summary>
    public bool LoopbackOnly => Options.Tls is { Enabled: false };

    /// <summary>The addresses to listen on, except the metrics', that name all interfaces explicitly; by flag.</summary>
    public IEnumerable<(string Flag, ListenAddress Address)> Wildcards =>
        from flag in flags.All
        where flag.Name.EndsWith("-listen", StringComparison.Ordinal) && flag.Property != $"{nameof(Program)}.{nameof(ProgramOptions.MetricsListen)}"
        let address = ListenAddress.ParseOrOff(flag.Name, this[flag.Name])
        where address is { IsWildcard: true }
        select ($"--{flag.Name}", address);

    /// <summary>Every flag with its value and the source of the value, in one line. Secrets are masked.</summary>
    public string Summary => string.Join(", ", flags.All.Select(flag =>
    {
        var (source, text) = Of(flag);
        return $"{flag.Name}={(flag.IsSecret && text.Length > 0 ? "***" : text)} ({source})";
    }));

    /// <summary>The value of a flag as the user would write it.</summary>
    public string this[string flag] => Of(flags.All.Single(f => f.Name == flag)).Text;

    /// <exception cref="WhipOptionException">A text is not a value of the flag.</exception>
    public void Set(Flag flag, string source, IReadOnlyList<string> texts)
    {
        _given[flag] = (source, string.Join(',', texts));
        flag.Set(this, source, texts);
    }

    /// <summary>The user's name for an option: the source of its value, or its flag.</summary>
    public string NameOf(string option) =>
        flags.All.FirstOrDefault(flag => $".{flag.Property}".EndsWith($".{option}", StringComparison.Ordinal)) is { } flag
            ? _given.TryGetValue(flag, out var given) ? given.Source : flag.Invitation
            : option;

    private (string Source, string Text) Of(Flag flag) => _given.GetValueOrDefault(flag, ("default", flag.DefaultText));

    /// <exception cref="WhipOptionException">The first option that cannot work, by the user's name.</exception>
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
