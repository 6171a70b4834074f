using System.Text.Json;
using System.Text.RegularExpressions;

namespace Whip.Tests.Bench;

/// <summary><c>make up-cluster</c> and <c>make chaos</c>, as processes with real programs and a real PostgreSQL.</summary>
[Collection(nameof(RunsAlone))]
public sealed class ClusterTests
{
    [SkippableFact]
    public async Task Up_cluster_stays_until_a_signal_and_what_it_prints_to_try_works()
    {
        PostgresServer.Require();
        await using var up = new BenchProcess("up-cluster");
        await up.ReadToAsync("Ctrl-C ends everything");
        var toTry = up.Output.SkipWhile(line => !line.StartsWith("Everything runs", StringComparison.Ordinal));
        var commands = toTry.Where(line => Regex.IsMatch(line, @"^(curl|printf|kill|\S*whip) ")).ToArray();
        Assert.Equal(16, commands.Length);
        Assert.Contains(up.Output, line => line.EndsWith("/dashboard/", StringComparison.Ordinal));
        var (dials, text) = (0, "");
        foreach (var command in commands)
        {
            (var exitCode, text) = await ShellCommand.RunAsync("/", "/bin/sh", "-c", command);
            Assert.True(exitCode == 0, $"{command}\n{text}");
            if (Regex.IsMatch(command, @"^(curl|printf) .*(?<!/metrics)$"))
            {
                dials++;
                Assert.True(text.Contains("Hello from instance", StringComparison.Ordinal), $"{command}\n{text}\n{string.Join('\n', up.Output)}");
            }
        }

        Assert.Equal(10, dials);
        Assert.Contains("whip_broker_dials_total", text);
        await up.ReadToAsync("broker3            ended with exit code 137");

        up.Terminate();
        Assert.Equal((0, ""), await up.EndAsync());
    }

    [SkippableFact]
    public async Task A_broker_is_killed_and_the_run_is_judged_by_its_figures()
    {
        PostgresServer.Require();
        await using var chaos = new BenchProcess("chaos", "kill", "--agents", "5", "--rate", "10", "--seconds", "2", "--seed", "7");
        var (exitCode, error) = await chaos.EndAsync();
        Assert.Contains("# kill: run 1 of 1, seed 7, load average ", error);
        var figures = chaos.Output.Select(line => JsonDocument.Parse(line).RootElement).ToDictionary(f => f.GetProperty("name").GetString()!);
        string[] dialFigures = ["dials-failed", "dial-slowest", "dial-p99", "dial-p50", "not-dialable"];
        string[] expected = [.. dialFigures, "silos-judged-wrongly", "suspect-everywhere", "silo-dead-everywhere"];
        Assert.True(figures.Keys.Order().SequenceEqual(expected.Order()), error);
        Assert.All(figures.Values, figure => Assert.Equal("kill", figure.GetProperty("parameters").GetProperty("scenario").GetString()));

        // A dial has five seconds, which a busy machine may need for a handshake: that none fails is for make chaos to show, on an idle one.
        var (dials, failed) = (Parameter(figures["dials-failed"], "dials"), figures["dials-failed"].GetProperty("value").GetDouble());
        Assert.True(dials > 0 && failed < dials / 2, error);
        Assert.True(Parameter(figures["not-dialable"], "audits") > 0, error);
        var missed = figures.Keys.Where(name => figures[name].GetProperty("value").GetDouble() > Parameter(figures[name], "goal")).ToList();
        Assert.True(exitCode == (missed.Count > 0 ? 1 : 0), error);
        Assert.All(missed, name => Assert.Contains($"kill, seed 7: {name} ", error));
        Assert.Equal(0, Parameter(figures["dials-failed"], "goal"));

        static double Parameter(JsonElement figure, string name) =>
            figure.GetProperty("parameters").TryGetProperty(name, out var value) ? value.GetDouble() : double.PositiveInfinity;
    }
}

/// <summary>
/// A cluster of processes that is held to what it promises within seconds: no other test takes the processor from it.
/// </summary>
[CollectionDefinition(nameof(RunsAlone), DisableParallelization = true)]
public sealed class RunsAlone
{
}
