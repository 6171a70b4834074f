using System.Globalization;
using Whip.Bench.Measuring;
using Whip.Protocol;

namespace Whip.Bench.Scenarios;

/// <summary>
/// <c>whip-bench chaos</c> and <c>soak</c>: runs each scenario a number of times, each time with the next seed, and writes every figure of every run,
/// then the worst of each.
/// </summary>
/// <param name="context">For every run, but for the random numbers.</param>
/// <param name="limit">How long one run may take that has no limit of its own.</param>
/// <param name="figures">Gets the results.</param>
internal sealed class ChaosRun(ScenarioContext context, TimeSpan limit, FigureWriter figures)
{
    private readonly List<string> _missed = [];

    /// <exception cref="GoalMissedException">A run failed or missed a goal.</exception>
    public async Task RunAsync(IEnumerable<ListedScenario> scenarios, int firstSeed, int runs, CancellationToken cancellationToken)
    {
        foreach (var scenario in scenarios)
        {
            var name = scenario.Name;
            var worst = new Dictionary<string, (ScenarioFigure Figure, int Seed, double Seconds)>();
            for (var run = 1; run <= runs; run++)
            {
                var seed = firstSeed + run - 1;
                await figures.NoteAsync($"{name}: run {run} of {runs}, seed {seed}, load average {FigureWriter.LoadAverage}");
                var started = Stopwatch.GetTimestamp();
                foreach (var figure in await TryRunAsync(scenario, seed, cancellationToken))
                {
                    var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
                    await WriteAsync(name, figure, seed, seconds);
                    if (!worst.TryGetValue(figure.Name, out var known) || figure.Value > known.Figure.Value)
                    {
                        worst[figure.Name] = (figure, seed, seconds);
                    }
                }
            }

            foreach (var (figure, seed, seconds) in worst.Values.Where(_ => runs > 1))
            {
                await WriteAsync(name, figure, seed, seconds, ("worst-of", runs));
            }
        }

        if (_missed.Count > 0)
        {
            throw new GoalMissedException(_missed);
        }
    }

    private async Task<IReadOnlyList<ScenarioFigure>> TryRunAsync(ListedScenario scenario, int seed, CancellationToken cancellationToken)
    {
        var name = scenario.Name;
        using var deadline = new Deadline(scenario.Limit?.Invoke(context) ?? limit, TimeProvider.System, cancellationToken);
        try
        {
            var results = await scenario.Run(context with { Random = new Random(seed) }, deadline.Token);
            _missed.AddRange(results.Where(figure => figure.Value > figure.Goal).Select(figure =>
                string.Create(CultureInfo.InvariantCulture, $"{name}, seed {seed}: {figure.Name} {figure.Value} {figure.Unit} exceeds {figure.Goal}")));
            return results;
        }
        catch (PartFailedException failure)
        {
            _missed.Add($"{name}, seed {seed}: {failure.Problem}");
            await figures.NoteAsync(failure.Message);
        }
        catch (DialFailedException failure)
        {
            _missed.Add($"{name}, seed {seed}: a dial failed: {failure.Message}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _missed.Add($"{name}, seed {seed}: not done within {deadline.Limit.TotalMinutes} minutes");
        }

        return [];
    }

    private Task WriteAsync(string name, ScenarioFigure figure, int seed, double seconds, params (string, object)[] more)
    {
        (string, object)[] goal = figure.Goal is { } value ? [("goal", value)] : [];
        (string, object)[] run = [("scenario", name), ("seed", seed), .. more];
        return figures.WriteAsync(figure.Name, figure.Value, figure.Unit, seconds, [.. run, .. goal, .. figure.Parameters]);
    }
}

/// <summary>Everything was measured, and a run failed or missed a goal.</summary>
internal sealed class GoalMissedException(IReadOnlyList<string> missed)
    : Exception($"{missed.Count} goals were missed{string.Concat(missed.Select(line => $"\n  {line}"))}");
