using System.Text.Json;
using Whip.Bench.Beside;

namespace Whip.Tests.Bench;

/// <summary>How ratios are judged and shown, and one real run beside haproxy.</summary>
public sealed class BesideTests
{
    private static readonly Figure Rate = Figure.All.Single(figure => figure.Name == "mtls-dials-fresh");
    private static readonly Figure Cpu = Figure.All.Single(figure => figure.Name == "mtls-dial-cpu");

    [Theory]
    [InlineData(new[] { 3.0 }, 3, 3, 3)]
    [InlineData(new[] { 9.0, 1, 8, 2, 7, 3, 6, 4, 5 }, 3, 5, 7)]
    [InlineData(new[] { 4.0, 1, 2, 3 }, 1.75, 2.5, 3.25)]
    public void Quartiles_are_of_the_sorted_values(double[] values, double lower, double median, double upper) =>
        Assert.Equal(new Quartiles(lower, median, upper), Quartiles.Of(values));

    [Theory]
    [InlineData(0.8, 0.9, 5, "met")]
    [InlineData(0.79, 0.9, 5, "missed")]
    public void A_goal_of_at_least_is_met_by_the_lower_quartile(double lower, double median, double upper, string verdict) =>
        Assert.Equal(verdict, Judge(Rate, [lower, median, upper, lower, upper], [1, 1, 1, 1, 1]).Verdict);

    [Theory]
    [InlineData(0.01, 0.05, 0.12, "met")]
    [InlineData(0.01, 0.05, 0.121, "missed")]
    public void A_goal_of_at_most_is_met_by_the_upper_quartile(double lower, double median, double upper, string verdict) =>
        Assert.Equal(verdict, Judge(Cpu, [lower, median, upper, lower, upper], [1, 1, 1, 1, 1]).Verdict);

    [Fact]
    public void The_peer_that_is_harder_to_beat_counts_and_every_pair_is_its_own_ratio()
    {
        var samples = new Dictionary<string, IReadOnlyList<Sample>>
        {
            ["whip-mtls-fresh"] = [Of(10), Of(30), Of(20)],
            ["haproxy-mtls"] = [Of(10), Of(10), Of(10)],
            ["haproxy-mtls-best"] = [Of(20), Of(40), Of(40)],
        };
        var row = Row.Judge(Rate, Rate.Workloads[0], subject => samples[subject])!;
        Assert.Equal(("haproxy-mtls-best", 20, 40), (row.Against, row.WhipValue, row.PeerValue));
        Assert.Equal([0.5, 0.75, 0.5], row.Pairs);
    }

    [Theory]
    [InlineData("mtls-dials-kept", 0.01, 0.0, "met")]
    [InlineData("mtls-dials-kept", 0.0, 0.011, "missed, not kept")]
    [InlineData("mtls-dials-fresh", 1.0, 1.0, "met")]
    [InlineData("mtls-dials-fresh", 1.0, 0.99, "missed, not fresh")]
    public void Connections_have_to_be_what_the_name_says_at_every_hop(string figure, double first, double second, string verdict)
    {
        var judged = Figure.All.Single(known => known.Name == figure);
        Assert.Equal(verdict, Judge(judged, [9], [1], first, second).Verdict);
    }

    [Fact]
    public void A_figure_without_a_peer_has_no_row() => Assert.Null(Row.Judge(Rate, Rate.Workloads[0], static _ => []));

    [Fact]
    public void A_document_gets_the_new_rows_and_keeps_those_that_were_not_measured()
    {
        var first = new BesideTable([Judge(Cpu, [0.1], [1], 0, 0)], []).Into("before\n<!-- beside -->\n<!-- /beside -->\nafter\n", ["some conditions"]);
        Assert.StartsWith("before\n<!-- beside -->\n| figure", first, StringComparison.Ordinal);
        Assert.EndsWith("some conditions  \n<!-- /beside -->\nafter\n", first, StringComparison.Ordinal);
        var cpu = "| `mtls-dial-cpu` dials-32 | **0.1** (0.1–0.1), 1 | ≤ 0.12 | met | 0.1 µs/dial | 1 µs/dial, haproxy-mtls | 0, 0; – |";
        Assert.Contains(cpu, first, StringComparison.Ordinal);

        var multiplexer = Figure.All.Single(figure => figure.Name == "multiplexer-dials");
        var second = new BesideTable([Judge(Rate, [400], [1000])], [multiplexer]).Into(first, ["others"]);
        string[] rows =
        [
            "| `mtls-dials-fresh` dials-32 | **0.4** (0.4–0.4), 1 | ≥ 0.8 | missed | 400/s | 1,000/s, haproxy-mtls | –; – |",
            cpu,
            "| `multiplexer-dials` dials-32 | not measured: no frp, no chisel on the path | ≥ 1 | | | | |",
        ];
        Assert.Equal(rows, second.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)));
        Assert.DoesNotContain("some conditions", second, StringComparison.Ordinal);
        Assert.Throws<PartFailedException>(() => new BesideTable([], []).Into("no place", []));
    }

    [SkippableFact]
    public async Task Fresh_dials_beside_haproxy_do_one_handshake_at_each_hop_and_land_in_the_document()
    {
        Tools.Require("haproxy");
        using var folder = new TempFolder();
        var document = Path.Combine(folder.FullName, "figures.md");
        await File.WriteAllTextAsync(document, "<!-- beside -->\n<!-- /beside -->\n");
        await using var bench = new BenchProcess(
            "beside", "--only", "mtls-dials-fresh", "--pairs", "2", "--seconds", "0.5", "--seed", "7", "--readme", document);
        var figure = Assert.Single(await bench.FiguresAsync());
        Assert.True(figure.GetProperty("value").GetDouble() > 0);
        var parameters = figure.GetProperty("parameters");
        Assert.Equal(2, parameters.GetProperty("pairs").GetArrayLength());
        Assert.StartsWith("haproxy-mtls", parameters.GetProperty("against").GetString(), StringComparison.Ordinal);
        Assert.All(["whip-connections", "peer-connections"], hops => Assert.Equal([1, 1], Numbers(parameters.GetProperty(hops))));
        string[] processes = ["generator", "broker", "agent", "service"];
        Assert.All(["whip-costs", "peer-costs"], costs =>
            Assert.Equal(processes, parameters.GetProperty(costs).EnumerateObject().Select(cost => cost.Name)));
        Assert.Contains("| `mtls-dials-fresh` dials-32 | **", await File.ReadAllTextAsync(document), StringComparison.Ordinal);
    }

    private static double[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(number => number.GetDouble())];

    /// <summary>Rates and costs at once: a figure takes one of them.</summary>
    private static Sample Of(double value, params double[] connections) =>
        new(value, value, new Dictionary<string, double> { ["broker"] = value }) { Connections = connections };

    private static Row Judge(Figure figure, double[] whip, double[] peer, params double[] connections) => Row.Judge(
        figure,
        figure.Workloads[0],
        subject => subject == figure.Whip ? Array.ConvertAll(whip, value => Of(value, connections))
            : subject == figure.Peers[0] ? Array.ConvertAll(peer, value => Of(value))
            : [])!;
}
