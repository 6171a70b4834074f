namespace Whip.Hosting.Flags;

/// <inheritdoc cref="Flag"/>
internal sealed class Flag<T>(string name, T defaultValue, Func<string, IReadOnlyList<string>, T> read) : Flag(name)
{
    public override object? Read(string source, IReadOnlyList<string>? texts) => texts is null ? defaultValue : read(source, texts);
}
