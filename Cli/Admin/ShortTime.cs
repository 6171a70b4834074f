using System.Globalization;

namespace Whip.Cli.Admin;

/// <summary>Formats times for a table. Null is an empty text.</summary>
internal static class ShortTime
{
    public static string Milliseconds(double? value) => value is { } known ? Text($"{known:0.##}ms") : "";

    public static string Seconds(double? value) => value switch
    {
        null => "",
        < 60 and var seconds => Text($"{seconds:0.#}s"),
        < 3600 and var seconds => Text($"{(int)seconds / 60}m{(int)seconds % 60}s"),
        < 86400 and var seconds => Text($"{(int)seconds / 3600}h{(int)seconds % 3600 / 60}m"),
        { } seconds => Text($"{(long)seconds / 86400}d{(long)seconds % 86400 / 3600}h"),
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
