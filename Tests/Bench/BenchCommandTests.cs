using Whip.Bench;

namespace Whip.Tests.Bench;

public sealed class BenchCommandTests
{
    [Theory]
    [InlineData("dials --concurrency 0", "--concurrency \"0\": not numbers from 1 to 10000, with commas between")]
    [InlineData("dials --seconds 0", "--seconds \"0\": not a number from 0.5 to 600")]
    [InlineData("memory --agents 5,5", "--agents \"5,5\": not two numbers, the greater one last")]
    [InlineData("chaos nonsense", "\"nonsense\": no such scenario")]
    [InlineData("chaos kill --runs 0", "--runs \"0\": not a number from 1 to 1000")]
    [InlineData("soak --for 1s", "--for \"1s\": not a duration from 10s to 24h")]
    public async Task A_bad_command_line_ends_with_2_and_a_line(string args, string problem)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.Equal(2, await BenchCommand.RunAsync(args.Split(' '), output, error, CancellationToken.None));
        Assert.Equal(("", $"whip-bench: {problem}; see whip-bench --help\n"), ($"{output}", $"{error}"));
    }
}
