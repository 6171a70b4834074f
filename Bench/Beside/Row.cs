using Whip.Bench.Measuring;

namespace Whip.Bench.Beside;

/// <summary>One figure of one workload, judged.</summary>
/// <param name="Figure">What was compared.</param>
/// <param name="Workload">Of it.</param>
/// <param name="Against">The peer's configuration that is harder to beat, in the middle of the pairs.</param>
/// <param name="Pairs">The ratio of each pair, in their order.</param>
/// <param name="Whip">The samples of ours.</param>
/// <param name="Peer">The peer's.</param>
internal sealed record Row(
    Figure Figure, Workload Workload, string Against, IReadOnlyList<double> Pairs, IReadOnlyList<Sample> Whip, IReadOnlyList<Sample> Peer)
{
    // The others made theirs anew because of their age.
    private const double KeptConnections = 0.01;

    public Quartiles Ratio { get; } = Quartiles.Of(Pairs);

    /// <summary>Met or missed, as the pairs have it. A goal is missed too if connections were not what the name of our subject says.</summary>
    public string Verdict => Figure.Goal is not { } goal ? "no goal"
        : IsOfItsName ? goal.IsMet(Ratio) ? "met" : "missed"
        : IsKept ? "missed, not kept" : "missed, not fresh";

    public double WhipValue => Quartiles.Of(Whip.Select(Figure.Value)).Median;

    public double PeerValue => Quartiles.Of(Peer.Select(Figure.Value)).Median;

    private bool IsKept => Figure.Whip.EndsWith("-kept", StringComparison.Ordinal);

    /// <summary>At every hop and in every pair: at most one in a hundred dials made a connection, or each made one.</summary>
    private bool IsOfItsName => Whip.SelectMany(sample => sample.Connections).All(of => IsKept ? of <= KeptConnections : of is 1);

    /// <param name="figure">What to compare.</param>
    /// <param name="workload">Of it.</param>
    /// <param name="samples">In the order of the pairs, by subject.</param>
    /// <returns>Null if its peer was not measured.</returns>
    public static Row? Judge(Figure figure, Workload workload, Func<string, IReadOnlyList<Sample>> samples)
    {
        var whip = samples(figure.Whip);
        Row? hardest = null;
        foreach (var peer in figure.Peers.Where(peer => samples(peer).Count > 0))
        {
            var pairs = whip.Zip(samples(peer), (ours, theirs) => figure.Value(ours) / figure.Value(theirs)).ToArray();
            var row = new Row(figure, workload, peer, pairs, whip, samples(peer));
            var goal = figure.Goal ?? new Goal(1, IsAtLeast: false);
            hardest = hardest is null || goal.IsHarder(row.Ratio.Median, hardest.Ratio.Median) ? row : hardest;
        }

        return hardest;
    }

    /// <summary>For its line of JSON.</summary>
    public (string Name, object Value)[] Parameters() =>
    [
        ("workload", $"{Workload}"), ("lower", FigureWriter.Round(Ratio.Lower)), ("upper", FigureWriter.Round(Ratio.Upper)),
        ("goal", $"{Figure.Goal}"), ("verdict", Verdict), ("pairs", Rounded(Pairs)), ("whip", FigureWriter.Round(WhipValue)),
        ("peer", FigureWriter.Round(PeerValue)), ("against", Against), ("cost-unit", Workload.CostUnit), ("whip-costs", Costs(Whip)),
        ("peer-costs", Costs(Peer)), ("whip-connections", Hops(Whip, static sample => sample.Connections)),
        ("peer-connections", Hops(Peer, static sample => sample.Connections)), ("peer-resumed", Hops(Peer, static sample => sample.Resumed)),
        ("pays", Figure.Pays),
    ];

    private static double[] Rounded(IEnumerable<double> values) => [.. values.Select(FigureWriter.Round)];

    private static double Median(IEnumerable<double> values) => FigureWriter.Round(Quartiles.Of(values).Median);

    private static Dictionary<string, double> Costs(IReadOnlyList<Sample> samples) =>
        samples[0].Costs.Keys.ToDictionary(key => key, key => Median(samples.Select(sample => sample.Costs[key])));

    private static double[] Hops(IReadOnlyList<Sample> samples, Func<Sample, IReadOnlyList<double>> values) =>
        [.. values(samples[0]).Select((_, hop) => Median(samples.Select(sample => values(sample)[hop])))];
}
