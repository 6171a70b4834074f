using Whip.Bench.Scenarios;

namespace Whip.Bench.Kept;

/// <summary>
/// <c>whip-bench kept</c>: many dials at once from a dialer through two brokers to an agent, over connections that are kept; every byte belongs to its
/// dial, and dials are broken off in every state and at every hop. Then it lies about the end of dials, which must be noticed.
/// </summary>
internal static class KeptScenario
{
    private const int WarmUp = 200;
    private const int LiedTo = 300;
    private const int MaxNotes = 20;
    private const int DescriptorGoal = 8;

    // Of 100,000 dials each state is to be broken off 100 times; a run of few dials shows that it can be.
    private const int DialsPerState = 1000;
    private const int DialsPerStateOfFew = 2000;
    private const int Few = 50_000;

    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan QuietTimeout = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan QuietInterval = TimeSpan.FromMilliseconds(100);

    private static readonly DialState[] States = Enum.GetValues<DialState>();

    // What a dialer and a service can do by themselves, and what their neighbours can see.
    private static readonly (string By, DialState[] States)[] Broken =
    [
        ("dialer", [DialState.Asked, DialState.On, DialState.AskerEnded, DialState.ServerEnded, DialState.BothEnded]),
        ("hop1", States),
        ("hop2", States),
        ("hop3", States),
        ("service", [DialState.Asked, DialState.On, DialState.AskerEnded, DialState.ServerEnded]),
    ];

    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, int dials, CancellationToken cancellationToken)
    {
        var tally = new KeptTally(context.Random.Next(10_000), WarmUp + dials + (3 * LiedTo));
        await using var whip = await KeptWhip.StartAsync(context.Setup, tally, cancellationToken);
        await RunAsync(whip, tally, WarmUp, cancellationToken);
        await whip.EndConnectionsAsync();
        await Task.Delay(Settle, cancellationToken);
        var before = whip.Processes.Select(process => LinuxProcess.OpenFiles(process.Id)).ToArray();
        var started = Stopwatch.GetTimestamp();
        await RunAsync(whip, tally, dials, cancellationToken);
        await context.NoteAsync($"{dials} dials in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
        var wrong = tally.TakeWrong();
        foreach (var line in wrong.Take(MaxNotes))
        {
            await context.NoteAsync(line);
        }

        List<ScenarioFigure> figures =
        [
            new("kept-wrong", wrong.Count, "", 0, ("dials", dials), ("connected", tally.Connected)),
            .. whip.Hops.Select(hop => new ScenarioFigure(
                "kept-handshakes-per-dial", hop.Connections / (double)hop.Dials, "", 0.5,
                ("hop", hop.Number), ("dials", hop.Dials), ("reused", hop.Reused), ("handshakes", hop.Connections))),
            .. Broken.Select(cell => NotBroken(tally, cell.By, cell.States, dials)),
        ];
        await whip.EndConnectionsAsync();
        var left = before;
        await Polling.UntilAsync(IsBack, QuietTimeout, QuietInterval, cancellationToken);
        figures.AddRange(whip.Processes.Select((process, i) => new ScenarioFigure(
            "descriptors-left", left[i] - before[i], "", DescriptorGoal, ("program", process.Name), ("before", before[i]))));
        foreach (var hop in whip.Hops)
        {
            figures.Add(await LieAsync(whip, hop, tally, cancellationToken));
        }

        return figures;

        bool IsBack()
        {
            left = [.. whip.Processes.Select(process => LinuxProcess.OpenFiles(process.Id))];
            return left.Zip(before).All(pair => pair.First <= pair.Second + DescriptorGoal);
        }
    }

    private static async Task RunAsync(KeptWhip whip, KeptTally tally, int dials, CancellationToken cancellationToken)
    {
        using var workers = whip.CreateDials(tally);
        await workers.RunAsync(dials, cancellationToken);
        if (!await Polling.UntilAsync(() => whip.Service.Serving == 0, QuietTimeout, QuietInterval, cancellationToken))
        {
            tally.Wrong($"{whip.Service.Serving} connections of the service have not ended after {QuietTimeout.TotalSeconds} s");
        }
    }

    /// <summary>How many of the states were not broken off often enough.</summary>
    private static ScenarioFigure NotBroken(KeptTally tally, string by, DialState[] states, int dials)
    {
        var least = dials / (dials < Few ? DialsPerStateOfFew : DialsPerState);
        var counts = states.Select(state => (State: state, Count: tally.CountReached(by, state))).ToList();
        (string, object)[] parameters = [("by", by), ("least", least), .. counts.Select(cell => ($"{cell.State}", (object)cell.Count))];
        return new("kept-states-not-broken-off", counts.Count(cell => cell.Count < least), "", 0, parameters);
    }

    /// <summary>One hop says that dials are done which are not.</summary>
    private static async Task<ScenarioFigure> LieAsync(KeptWhip whip, CuttingHop hop, KeptTally tally, CancellationToken cancellationToken)
    {
        hop.IsLying = true;
        await RunAsync(whip, tally, LiedTo, cancellationToken);
        hop.IsLying = false;
        await whip.EndConnectionsAsync();
        var noticed = tally.TakeWrong().Count;
        return new("kept-lie-not-noticed", noticed > 0 ? 0 : 1, "", 0, ("hop", hop.Number), ("dials", LiedTo), ("noticed", noticed));
    }
}
