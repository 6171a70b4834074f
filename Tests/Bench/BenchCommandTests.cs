using Whip.Bench;

namespace Whip.Tests.Bench;

public sealed class BenchCommandTests
{
    [Theory]
    [InlineData("dials --concurrency 0", "--concurrency \"0\": not a number in range; try a number from 1 to 10000")]
    [InlineData("dials --concurrency=", "--concurrency \"\": is empty; try a number from 1")]
    [InlineData("dials --seconds 0", "--seconds \"0\": not a number in range; try a number from 0.5 to 600")]
    [InlineData("dials --tls=no", "--tls \"no\": neither true nor false; try true or false")]
    [InlineData("memory --agents 5,5", "--agents \"5,5\": not a slope; try two numbers, the greater one last")]
    [InlineData("chaos nonsense", "scenario \"nonsense\": no such scenario; try whip-bench chaos --help")]
    [InlineData("fuzz nonsense", "target \"nonsense\": no such target; try whip-bench fuzz --help")]
    [InlineData("chaos kill --runs 0", "--runs \"0\": not a number in range; try a number from 1 to 1000")]
    [InlineData("soak --for 1s", "--for \"1s\": out of range; try a duration from 10s to 24h")]
    public async Task A_bad_command_line_ends_with_2_and_a_line(string args, string problem)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.Equal(2, await BenchCommand.RunAsync(args.Split(' '), output, error, CancellationToken.None));
        Assert.Equal(("", $"whip-bench: {problem}\n"), ($"{output}", $"{error}"));
    }

    [Fact]
    public async Task A_value_comes_from_the_environment_or_a_file_as_in_every_program()
    {
        using var folder = new TempFolder();
        var file = Path.Combine(folder.FullName, "bench.json");
        await File.WriteAllTextAsync(file, """{ "rate": 2000 }""");
        Assert.Equal(
            $"whip-bench: {file}: rate \"2000\": not a number in range; try a number from 1 to 1000\n",
            await RunAsync(["soak", "--config", file], null));
        Assert.Equal("whip-bench: WHIP_RUNS \"0\": not a number in range; try a number from 1 to 1000\n", await RunAsync(["chaos", "kill"], "0"));

        static async Task<string> RunAsync(string[] args, string? runs)
        {
            using var error = new StringWriter();
            Assert.Equal(2, await BenchCommand.RunAsync(args, TextWriter.Null, error, CancellationToken.None, name => name == "WHIP_RUNS" ? runs : null));
            return $"{error}";
        }
    }
}
