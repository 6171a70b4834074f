using System.Globalization;
using Whip.Bench.Measuring;
using Whip.Bench.Scenarios;

namespace Whip.Bench.Fuzz;

/// <summary><c>whip-bench fuzz</c>: sends the inputs of each target and judges what they have left in the programs.</summary>
/// <param name="programFolder">The folder of the programs.</param>
/// <param name="seed">Of all choices, with the number of an input.</param>
/// <param name="from">The number of the first input of each target.</param>
/// <param name="inputs">How many follow each other.</param>
/// <param name="output">Gets the figures.</param>
/// <param name="notes">Gets what a reader wants to know besides.</param>
internal sealed class FuzzRun(string programFolder, int seed, int from, int inputs, TextWriter output, TextWriter notes)
{
    private const string All = "all";

    // Between two checks. The lines that they log fit into what is kept of a log.
    private const int Batch = 2000;

    // With fewer inputs the programs are still loading code at the end.
    private const int LeastJudged = 20_000;
    private const int WarmUpPart = 4;

    // Until nothing that honest peers cause is compiled any more.
    private const int WarmUpChecks = 100;

    private const double GrowthGoal = 5;
    private const int DescriptorGoal = 8;
    private const int LinesGoal = 200;
    private const int LinesPerMinute = 100;
    private const int LinesPerCheck = 6;

    private static readonly TimeSpan BackTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan BackInterval = TimeSpan.FromSeconds(1);

    private readonly List<string> _missed = [];

    public static IReadOnlyList<string> Names => [.. FuzzTarget.All.Select(target => target.Name), FuzzFiles.Name];

    /// <exception cref="GoalMissedException">Something failed or missed a goal.</exception>
    public async Task RunAsync(string name, CancellationToken cancellationToken)
    {
        FuzzWhip? whip = null;
        try
        {
            foreach (var target in FuzzTarget.All.Where(target => name is All || name == target.Name))
            {
                if (whip is not null && (whip.IsTls, whip.Setup) != (target.IsTls, target.Setup))
                {
                    await whip.DisposeAsync();
                    whip = null;
                }

                whip ??= await FuzzWhip.StartAsync(programFolder, target, cancellationToken);
                if (!await TryAsync(whip, target, cancellationToken))
                {
                    await whip.DisposeAsync();
                    whip = null;
                }
            }
        }
        finally
        {
            await (whip?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        if (name is All or FuzzFiles.Name)
        {
            await FilesAsync(cancellationToken);
        }

        if (_missed.Count > 0)
        {
            throw new GoalMissedException(_missed);
        }
    }

    /// <returns>Whether the programs are good for another target.</returns>
    private async Task<bool> TryAsync(FuzzWhip whip, FuzzTarget target, CancellationToken cancellationToken)
    {
        var figures = new FigureWriter(output, notes, target.IsTls);
        await figures.NoteAsync($"{target.Name}: {Describe(target.Name, from, inputs)}, load average {FigureWriter.LoadAverage}");
        try
        {
            var started = Stopwatch.GetTimestamp();
            foreach (var figure in await RunAsync(whip, target, cancellationToken))
            {
                await WriteAsync(figures, target.Name, figure, started);
            }

            return true;
        }
        catch (PartFailedException failure)
        {
            _missed.Add($"{target.Name}: {failure.Problem}");
            await figures.NoteAsync(failure.Message);
            return false;
        }
    }

    private async Task<IReadOnlyList<ScenarioFigure>> RunAsync(FuzzWhip whip, FuzzTarget target, CancellationToken cancellationToken)
    {
        var (started, checks, lines) = (Stopwatch.GetTimestamp(), whip.Checks, whip.Programs.Select(program => program.ErrorCount).ToArray());
        var sender = new FuzzSender(whip, target, seed);
        var warm = from + (inputs / WarmUpPart);
        await SendAsync(from, warm);
        var isJudged = inputs >= LeastJudged;
        for (var check = isJudged ? WarmUpChecks : 0; check > 0; check--)
        {
            await whip.CheckAsync("at the start", cancellationToken);
        }

        var before = ReadAll(whip);
        await SendAsync(warm, from + inputs);
        var after = ReadAll(whip);
        await Polling.UntilAsync(IsBackAsync, isJudged ? BackTimeout : TimeSpan.Zero, BackInterval, cancellationToken);
        var honest = LinesPerCheck * (whip.Checks - checks);
        var mayLog = LinesGoal + honest + (LinesPerMinute * Stopwatch.GetElapsedTime(started).TotalMinutes) + ((double)target.LinesPerInput * inputs);
        return
        [
            new("fuzz-hung", sender.Hung.Count, "", 0, ("inputs", inputs), ("hung", string.Join(' ', sender.Hung.Order()))),
            .. whip.Programs.Select((program, i) => new ScenarioFigure(
                "fuzz-memory-growth", after[i].GrowthFrom(before[i]), "%", isJudged ? GrowthGoal : null, ("program", program.Part), ("kib", after[i].Kib))),
            .. whip.Programs.Select((program, i) => new ScenarioFigure(
                "fuzz-descriptors-left", after[i].Descriptors - before[i].Descriptors, "", isJudged ? DescriptorGoal : null, ("program", program.Part))),
            .. whip.Programs.Select((program, i) => new ScenarioFigure(
                "fuzz-log-lines", program.ErrorCount - lines[i], "", Math.Floor(mayLog), ("program", program.Part))),
        ];

        async Task SendAsync(int first, int end)
        {
            for (; first < end; first += Batch)
            {
                var count = Math.Min(Batch, end - first);
                await sender.SendAsync(first, first + count, cancellationToken);
                await whip.CheckAsync($"after {Describe(target.Name, first, count)}", cancellationToken);
            }

            await sender.WhenEndedAsync();
            await whip.CheckAsync($"after {Describe(target.Name, from, end - from)}", cancellationToken);
        }

        // Honest peers keep the programs collecting their garbage.
        async Task<bool> IsBackAsync()
        {
            await whip.CheckAsync("afterwards", cancellationToken);
            after = ReadAll(whip);
            return after.Zip(before).All(pair => pair.First.IsBackTo(pair.Second));
        }
    }

    private async Task FilesAsync(CancellationToken cancellationToken)
    {
        var figures = new FigureWriter(output, notes, tls: false);
        await figures.NoteAsync(Describe(FuzzFiles.Name, from, inputs));
        var started = Stopwatch.GetTimestamp();
        var wrong = new List<int>();
        using var files = new FuzzFiles();
        for (var number = from; number < from + inputs && !cancellationToken.IsCancellationRequested; number++)
        {
            if (files.Try(FuzzSender.RandomOf(seed, number)) is { } problem)
            {
                wrong.Add(number);
                await figures.NoteAsync($"{problem}: {Describe(FuzzFiles.Name, number, 1)}");
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        var figure = new ScenarioFigure("fuzz-files-wrong", wrong.Count, "", 0, ("inputs", inputs), ("wrong", string.Join(' ', wrong)));
        await WriteAsync(figures, FuzzFiles.Name, figure, started);
    }

    private static Holding[] ReadAll(FuzzWhip whip) =>
        [.. whip.Programs.Select(program => new Holding(LinuxProcess.ResidentKib(program.Id), LinuxProcess.OpenFiles(program.Id)))];

    private async Task WriteAsync(FigureWriter figures, string target, ScenarioFigure figure, long started)
    {
        (string, object)[] goal = figure.Goal is { } value ? [("goal", value)] : [];
        var parameters = string.Join(", ", figure.Parameters);
        await figures.WriteAsync(
            figure.Name, figure.Value, figure.Unit, Stopwatch.GetElapsedTime(started).TotalSeconds,
            [("target", target), ("seed", seed), ("from", from), .. goal, .. figure.Parameters]);
        if (figure.Value > figure.Goal)
        {
            _missed.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{target}: {figure.Name} {figure.Value} {figure.Unit} exceeds {figure.Goal} ({parameters}) after {Describe(target, from, inputs)}"));
        }
    }

    /// <summary>How to send some inputs again.</summary>
    private string Describe(string target, int first, int count) => $"whip-bench fuzz {target} --seed {seed} --from {first} --inputs {count}";

    /// <summary>What a program holds.</summary>
    private sealed record Holding(long Kib, int Descriptors)
    {
        public double GrowthFrom(Holding before) => ((Kib / (double)before.Kib) - 1) * 100;

        public bool IsBackTo(Holding before) => GrowthFrom(before) <= GrowthGoal && Descriptors <= before.Descriptors + DescriptorGoal;
    }
}
