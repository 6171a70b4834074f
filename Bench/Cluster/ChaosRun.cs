using System.Diagnostics;
using System.Globalization;
using Whip.Bench.Cluster.Scenarios;
using Whip.Bench.Measuring;
using Whip.Harness.Cluster;
using Whip.Harness.Programs;

namespace Whip.Bench.Cluster;

/// <summary>What <c>whip-bench chaos</c> and <c>whip-bench soak</c> were asked for.</summary>
/// <param name="Setup">How each cluster is made.</param>
/// <param name="Seed">Of the first run; each further one has the next number.</param>
/// <param name="Runs">How often each scenario is run.</param>
/// <param name="Agents">How many; null for the scenario's own number.</param>
/// <param name="Length">How long the trouble lasts.</param>
/// <param name="Rate">Dials per second.</param>
internal sealed record ChaosOptions(ClusterSetup Setup, int Seed, int Runs, int? Agents, TimeSpan Length, int Rate);

/// <summary><c>whip-bench chaos</c>: scenarios, each run so often with another seed; every figure of every run, then the worst of each.</summary>
internal sealed class ChaosRun(ChaosOptions options, TimeSpan limit, TextWriter output, TextWriter notes)
{
    private readonly FigureWriter _figures = new(output, notes, options.Setup.Tls);
    private readonly List<string> _missed = [];

    /// <exception cref="GoalMissedException">A run failed, or showed what must not be.</exception>
    public async Task RunAsync(IEnumerable<(string Name, IScenario Scenario)> scenarios, CancellationToken cancellationToken)
    {
        foreach (var (name, scenario) in scenarios)
        {
            var worst = new Dictionary<string, (ScenarioFigure Figure, int Seed, double Seconds)>();
            for (var seed = options.Seed; seed < options.Seed + options.Runs; seed++)
            {
                var load = File.ReadAllText("/proc/loadavg").Split(' ')[0];
                await _figures.NoteAsync($"{name}: run {seed - options.Seed + 1} of {options.Runs}, seed {seed}, load average {load}");
                var started = Stopwatch.GetTimestamp();
                foreach (var figure in await TryRunAsync(name, scenario, seed, cancellationToken))
                {
                    var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
                    await WriteAsync(name, figure, seed, seconds, []);
                    if (!worst.TryGetValue(figure.Name, out var known) || figure.Value > known.Figure.Value)
                    {
                        worst[figure.Name] = (figure, seed, seconds);
                    }
                }
            }

            foreach (var (figure, seed, seconds) in worst.Values.Where(_ => options.Runs > 1))
            {
                await WriteAsync(name, figure, seed, seconds, [("worst-of", options.Runs)]);
            }
        }

        if (_missed.Count > 0)
        {
            throw new GoalMissedException(_missed);
        }
    }

    private async Task<IReadOnlyList<ScenarioFigure>> TryRunAsync(string name, IScenario scenario, int seed, CancellationToken cancellationToken)
    {
        using var inTime = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        inTime.CancelAfter(limit);
        try
        {
            var context = new ScenarioContext(options.Setup, new Random(seed), options.Agents, options.Length, options.Rate, _figures.NoteAsync);
            var figures = await scenario.RunAsync(context, inTime.Token);
            _missed.AddRange(figures.Where(f => f.Value > f.Goal)
                .Select(f => string.Create(CultureInfo.InvariantCulture, $"{name}, seed {seed}: {f.Name} {f.Value} {f.Unit} exceeds {f.Goal}")));
            return figures;
        }
        catch (PartFailedException failure)
        {
            _missed.Add($"{name}, seed {seed}: {failure.Problem}");
            await _figures.NoteAsync(failure.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _missed.Add($"{name}, seed {seed}: not done within {limit.TotalMinutes} minutes");
        }

        return [];
    }

    private Task WriteAsync(string name, ScenarioFigure figure, int seed, double seconds, (string, object)[] more) => _figures.WriteAsync(
        figure.Name,
        figure.Value,
        figure.Unit,
        seconds,
        [("scenario", name), ("seed", seed), .. more, .. figure.Goal is { } goal ? new (string, object)[] { ("goal", goal) } : [], .. figure.Parameters]);
}

/// <summary>Everything was measured, and something is not as it must be.</summary>
internal sealed class GoalMissedException(IReadOnlyList<string> missed) : Exception($"{missed.Count} goals were missed")
{
    /// <summary>One line each.</summary>
    public IReadOnlyList<string> Missed { get; } = missed;
}
