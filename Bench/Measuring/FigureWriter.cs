using System.Text.Json;
using System.Text.Json.Serialization;

namespace Whip.Bench.Measuring;

/// <summary>Figures go to standard output, one line of JSON each; what a reader should know besides goes to standard error.</summary>
internal sealed class FigureWriter(TextWriter output, TextWriter notes, bool tls)
{
    public Task WriteAsync(string name, double value, string unit, double seconds, params (string Name, object Value)[] parameters) =>
        output.WriteLineAsync(new Figure(name, value, unit, parameters.ToDictionary(p => p.Name, p => p.Value), tls, seconds).ToJson());

    public Task NoteAsync(string text) => notes.WriteLineAsync($"# {text}");
}

/// <summary>One measured figure; on standard output it is one line of JSON.</summary>
/// <param name="Name">What was measured, such as <c>dials</c>.</param>
/// <param name="Value">In <paramref name="Unit"/>, rounded to four digits, or to a whole number.</param>
/// <param name="Unit">Such as <c>1/s</c>.</param>
/// <param name="Parameters">What else the figure depends on.</param>
/// <param name="Tls">Mutual TLS, or plain.</param>
/// <param name="Seconds">How long it was counted, the warm-up left out.</param>
internal sealed record Figure(string Name, double Value, string Unit, IReadOnlyDictionary<string, object> Parameters, bool Tls, double Seconds)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.Strict,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string ToJson() => JsonSerializer.Serialize(this with { Value = Round(Value), Seconds = Round(Seconds) }, Json);

    private static double Round(double value) =>
        value == 0 ? 0 : Math.Round(value, Math.Clamp(3 - (int)Math.Floor(Math.Log10(Math.Abs(value))), 0, 15));
}
