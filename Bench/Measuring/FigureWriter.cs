namespace Whip.Bench.Measuring;

/// <summary>Figures go to standard output, one line of JSON each; what a reader should know besides goes to standard error.</summary>
internal sealed class FigureWriter(TextWriter output, TextWriter notes, bool tls)
{
    public Task WriteAsync(string name, double value, string unit, double seconds, params (string Name, object Value)[] parameters) =>
        output.WriteLineAsync(new Figure(name, value, unit, parameters.ToDictionary(p => p.Name, p => p.Value), tls, seconds).ToJson());

    public Task NoteAsync(string text) => notes.WriteLineAsync($"# {text}");
}
