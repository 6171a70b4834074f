using System.Text.Json;
using Whip.Bench.Fuzz;

namespace Whip.Tests.Bench;

/// <summary><c>whip-bench fuzz</c>, briefly, with real programs.</summary>
[Collection(nameof(RunsAlone))]
public sealed class FuzzTests
{
    [SkippableFact]
    public async Task Every_target_is_survived()
    {
        Skip.IfNot(PostgresServer.IsInstalled, PostgresServer.Missing);
        await using var fuzz = new BenchProcess("fuzz", "--inputs", "200", "--seed", "1");
        var figures = await fuzz.FiguresAsync();
        var totals = figures.Where(figure => Name(figure) is "fuzz-hung" or "fuzz-files-wrong").ToList();
        Assert.Equal(FuzzRun.Names, totals.Select(figure => Parameter(figure, "target").GetString()));
        Assert.All(totals, figure => Assert.Equal((0, 200), (figure.GetProperty("value").GetInt32(), Parameter(figure, "inputs").GetInt32())));
        string[] perProgram = ["fuzz-memory-growth", "fuzz-descriptors-left", "fuzz-log-lines"];
        Assert.Equal(
            perProgram.SelectMany(_ => FuzzTarget.All, (name, _) => name).Order(),
            figures.Where(figure => Has(figure, "program", "broker")).Select(Name).Order());
    }

    [Fact]
    public async Task A_program_that_ends_is_named_with_the_inputs_before_it()
    {
        using var programs = new ProgramFolder("whip", "whip-broker", "whip-agent");
        programs.AddScript("whip-proxy", "echo ready proxy=127.0.0.1:1 metrics=127.0.0.1:1; exit 3");
        await using var fuzz = new BenchProcess("fuzz", "preamble", "--inputs", "4", "--from", "7", "--seed", "1", "--programs", programs.FullName);
        var (exitCode, error) = await fuzz.EndAsync();
        Assert.Equal(1, exitCode);
        Assert.Contains("\n  preamble: proxy: ended with exit code 3 after whip-bench fuzz preamble --seed 1 --from 7 --inputs 1\n", error);
    }

    [Fact]
    public void An_input_follows_from_its_seed_and_number_alone()
    {
        Assert.Equal(Inputs(seed: 1), Inputs(seed: 1));
        Assert.NotEqual(Inputs(seed: 1), Inputs(seed: 2));

        static List<string> Inputs(int seed) =>
            [.. Enumerable.Range(0, 100).Select(number => Convert.ToHexString(Mutation.Next(HttpCorpus.Answers, FuzzSender.RandomOf(seed, number))))];
    }

    private static string Name(JsonElement figure) => figure.GetProperty("name").GetString()!;

    private static JsonElement Parameter(JsonElement figure, string name) => figure.GetProperty("parameters").GetProperty(name);

    private static bool Has(JsonElement figure, string name, string value) =>
        figure.GetProperty("parameters").TryGetProperty(name, out var parameter) && parameter.GetString() == value;
}
