using System.Text.Json;

namespace Whip.Bench.Measuring;

/// <summary>Writes figures to standard output, one line of JSON each, and notes for the reader to standard error.</summary>
internal sealed class FigureWriter(TextWriter output, TextWriter notes, bool tls)
{
    private static readonly JsonSerializerOptions Json = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string LoadAverage => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    /// <param name="name">What was measured, such as <c>dials</c>.</param>
    /// <param name="value">In <paramref name="unit"/>; it is rounded to four digits, or to a whole number.</param>
    /// <param name="unit">Such as <c>1/s</c>.</param>
    /// <param name="seconds">How long it was counted, without the warm-up.</param>
    /// <param name="parameters">What else the figure depends on.</param>
    public Task WriteAsync(string name, double value, string unit, double seconds, params (string Name, object Value)[] parameters)
    {
        var figure = new { name, value = Round(value), unit, parameters = parameters.ToDictionary(p => p.Name, p => p.Value), tls, seconds = Round(seconds) };
        return output.WriteLineAsync(JsonSerializer.Serialize(figure, Json));
    }

    public Task NoteAsync(string text) => notes.WriteLineAsync($"# {text}");

    public static double Round(double value) =>
        value == 0 ? 0 : Math.Round(value, Math.Clamp(3 - (int)Math.Floor(Math.Log10(Math.Abs(value))), 0, 15));
}
