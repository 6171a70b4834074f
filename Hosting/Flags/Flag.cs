using System.Text.Json;

namespace Whip.Hosting.Flags;

/// <summary>One flag: its names, its help, and how its text becomes a value.</summary>
internal abstract class Flag(string name)
{
    /// <summary>In kebab case, without the dashes: also its key in the configuration file.</summary>
    public string Name => name;

    public string Variable { get; } = "WHIP_" + (name.StartsWith("whip-", StringComparison.Ordinal) ? name[5..] : name).Replace('-', '_').ToUpperInvariant();

    /// <summary>The kind of value, for help; empty for a switch.</summary>
    public required string Unit { get; init; }

    public required string Help { get; init; }

    /// <summary>The default as a user would write it; empty when there is none.</summary>
    public required string DefaultText { get; init; }

    /// <summary>The JSON kind of its value, or of each element of a list; a switch is <see cref="JsonValueKind.True"/>.</summary>
    public JsonValueKind Json { get; init; } = JsonValueKind.String;

    /// <summary>May be repeated; each text may hold several values with commas between.</summary>
    public bool IsList { get; init; }

    public bool IsSwitch => Json == JsonValueKind.True;

    /// <param name="source">Where the texts come from, for the error.</param>
    /// <param name="texts">Exactly one unless <see cref="IsList"/>; null for the default.</param>
    /// <exception cref="StartupException">A text is not a value of this flag.</exception>
    public abstract object? Read(string source, IReadOnlyList<string>? texts);
}
