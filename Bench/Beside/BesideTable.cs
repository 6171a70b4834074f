using System.Globalization;

namespace Whip.Bench.Beside;

/// <summary>The rows as Markdown, and their place in a document: between two marks, where rows that were not measured this time stay.</summary>
internal sealed class BesideTable(IReadOnlyList<Row> rows, IEnumerable<Figure> unmeasured)
{
    private const string Begin = "<!-- beside -->";
    private const string End = "<!-- /beside -->";

    private static readonly string[] Head =
    [
        "| figure, at how many streams | Whip ÷ peer: median (quartiles), pairs | goal | | Whip | peer | handshakes a dial, hop by hop: Whip; peer |",
        "|---|---|---|---|---|---|---|",
    ];

    public IEnumerable<string> Lines() => [.. Head, .. New().Select(row => row.Line)];

    /// <summary>The document with its table renewed.</summary>
    /// <exception cref="PartFailedException">It has no place for it.</exception>
    public string Into(string document, IEnumerable<string> conditions)
    {
        var (begin, end) = (document.IndexOf(Begin, StringComparison.Ordinal), document.IndexOf(End, StringComparison.Ordinal));
        if (begin < 0 || end < begin)
        {
            throw new PartFailedException("readme", $"has no {Begin} with {End} behind it", []);
        }

        var lines = New().ToDictionary(row => row.Key, row => row.Line);
        foreach (var old in document[begin..end].Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)))
        {
            lines.TryAdd(old.Split('|')[1].Trim(), old);
        }

        var order = Figure.All.SelectMany(figure => figure.Workloads.Select(workload => Key(figure, workload)));
        string[] table =
        [
            Begin, .. Head, .. order.Where(lines.ContainsKey).Select(key => lines[key]), "", .. Notes(), "", .. conditions.Select(text => $"{text}  "), "",
        ];
        return $"{document[..begin]}{string.Join('\n', table)}{document[end..]}";
    }

    private static string Key(Figure figure, Workload workload) => $"`{figure.Name}` {workload}";

    /// <summary>What each figure is, and what it costs whom.</summary>
    private static IEnumerable<string> Notes() => Figure.All
        .GroupBy(figure => figure.Pays, figure => $"`{figure.Name}`")
        .Select(figures => $"- {string.Join(", ", figures)}: {figures.Key}.");

    private static string Line(Row row)
    {
        var (ratio, goal) = (row.Ratio, row.Figure.Goal);
        string[] cells =
        [
            Key(row.Figure, row.Workload),
            FormattableString.Invariant($"**{Sample.Digits(ratio.Median)}** ({Sample.Digits(ratio.Lower)}–{Sample.Digits(ratio.Upper)}), {row.Pairs.Count}"),
            $"{goal}",
            row.Verdict,
            Value(row, row.WhipValue),
            $"{Value(row, row.PeerValue)}, {row.Against}",
            $"{Connections(row.Whip)}; {Connections(row.Peer)}",
        ];
        return $"| {string.Join(" | ", cells)} |";
    }

    private static string Value(Row row, double value) => row.Figure.Compares switch
    {
        Compared.Rate when row.Workload.Kind == Kind.Dials => string.Create(CultureInfo.InvariantCulture, $"{value:N0}/s"),
        Compared.Rate => string.Create(CultureInfo.InvariantCulture, $"{value / 1e9:0.00} GB/s"),
        Compared.P50 => $"{Sample.Digits(value)} ms",
        _ => $"{Sample.Digits(value)} {row.Workload.CostUnit}",
    };

    private static string Connections(IReadOnlyList<Sample> samples) => samples[0].Connections.Count == 0
        ? "–"
        : string.Join(", ", samples[0].Connections.Select((_, hop) => Sample.Digits(Quartiles.Of(samples.Select(sample => sample.Connections[hop])).Median)));

    private IEnumerable<(string Key, string Line)> New() =>
    [
        .. rows.Select(row => (Key(row.Figure, row.Workload), Line(row))),
        .. unmeasured.SelectMany(figure => figure.Workloads.Select(workload => (Key(figure, workload), NotMeasured(figure, workload)))),
    ];

    private static string NotMeasured(Figure figure, Workload workload) =>
        $"| {Key(figure, workload)} | not measured: no {string.Join(", no ", figure.Peers)} on the path | {figure.Goal} | | | | |";
}
