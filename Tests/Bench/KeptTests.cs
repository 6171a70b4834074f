using System.Text.Json;

namespace Whip.Tests.Bench;

/// <summary><c>whip-bench kept</c>, briefly, with real programs and a real PostgreSQL.</summary>
[Collection(nameof(RunsAlone))]
public sealed class KeptTests
{
    [SkippableTheory, PlainAndTls]
    public async Task No_dial_harms_another_and_a_done_that_is_a_lie_is_noticed(bool tls)
    {
        PostgresServer.Require();
        await using var kept = new BenchProcess("kept", "--dials", "2000", "--seed", "1", $"--tls={tls}");
        var figures = await kept.FiguresAsync();
        Assert.Equal((0, 2000), Assert.Single(Of("kept-wrong").Select(figure => (figure.GetProperty("value").GetInt32(), Parameter(figure, "dials")))));
        Assert.Equal([1, 2, 3], Of("kept-handshakes-per-dial").Select(figure => Parameter(figure, "hop")));
        Assert.All(Of("kept-states-not-broken-off"), figure => Assert.Equal(1, Parameter(figure, "least")));
        Assert.All(Of("kept-lie-not-noticed"), figure => Assert.NotEqual(0, Parameter(figure, "noticed")));

        IEnumerable<JsonElement> Of(string name) => figures.Where(figure => figure.GetProperty("name").GetString() == name);

        static int Parameter(JsonElement figure, string name) => figure.GetProperty("parameters").GetProperty(name).GetInt32();
    }
}
