namespace Whip.Tests.Bench;

/// <summary>The figures of the measuring commands.</summary>
public sealed class MeasuringTests
{
    [Theory]
    [InlineData("dials --concurrency 2", new[] { 2 }, "dials", "dial-p50", "dial-p99", "dial-cpu", "dial-cpu")]
    [InlineData("relay", new[] { 1, 8 }, "relay", "relay-cpu", "relay-cpu", "relay", "relay-cpu", "relay-cpu")]
    public async Task Every_figure_is_a_line_of_json(string args, int[] sizes, params string[] names)
    {
        await using var bench = new BenchProcess([.. args.Split(' '), "--seconds", "0.5", "--tls=false"]);
        var figures = await bench.FiguresAsync();
        Assert.Equal(sizes.SelectMany(_ => names), figures.Select(f => f.GetProperty("name").GetString()));
        Assert.All(figures, figure =>
        {
            Assert.True(figure.GetProperty("value").GetDouble() >= 0);
            Assert.InRange(figure.GetProperty("seconds").GetDouble(), 0.45, double.MaxValue);
            Assert.NotEmpty(figure.GetProperty("unit").GetString()!);
            Assert.False(figure.GetProperty("tls").GetBoolean());
        });
        Assert.Equal(
            sizes.SelectMany(size => names.Select(_ => size)),
            figures.Select(f => f.GetProperty("parameters").EnumerateObject().First().Value.GetInt32()));
        Assert.True(figures[0].GetProperty("value").GetDouble() > 0);
    }

    [Fact]
    public async Task The_registry_of_a_broker_is_measured()
    {
        await using var bench = new BenchProcess("registry", "--streams", "30000");
        var figures = await bench.FiguresAsync();
        Assert.Equal(["stream-memory", "resolve-local"], figures.Select(f => f.GetProperty("name").GetString()));
        Assert.All(figures, figure => Assert.True(figure.GetProperty("value").GetDouble() > 0));
    }
}
