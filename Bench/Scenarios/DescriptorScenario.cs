using Whip.Hosting.Listening;
using Whip.Protocol.Legs;

namespace Whip.Bench.Scenarios;

/// <summary>
/// Few open files, and more connections than there is room for: the program lives, honest dials go on, and every descriptor comes back. Strangers load
/// the broker; relays load the broker, the agent and the proxy.
/// </summary>
internal static class DescriptorScenario
{
    public const string Name = "descriptors";

    private const int Loads = 8;
    private const int ManyStrangers = 1600;
    private const int Strangers = 100;
    private const int Freed = 4;
    private const int LeftGoal = 8;

    // Of the margin that is never given away, threads and what has just been accepted may take the rest for a moment.
    private const int LeastFree = 4;

    private const int LinesGoal = 200;
    private const int OpenedAtATime = 16;

    // Of the limit, strangers come back in a tenth of a second; those who authenticate cost the broker a handshake each.
    private const int ReopenedPart = 50;
    private const int AuthenticatedPart = 250;

    // The least that a broker of a cluster accepts.
    private const int LeastOfCluster = 512;

    // For this process, besides its ends of the connections.
    private const int OwnFiles = 1000;

    private static readonly TimeSpan DialLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RefusalLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DialInterval = TimeSpan.FromMilliseconds(250);

    // To start the programs and to see everything closed.
    private static readonly TimeSpan Around = TimeSpan.FromMinutes(1);

    /// <summary>How long a run may take.</summary>
    public static TimeSpan LimitFor(ScenarioContext context) => context.OpenFiles.Count * Loads * (context.Length + Around);

    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        var (folder, tls) = (context.Setup.ProgramFolder, context.Setup.Tls);
        var hello = await Stranger.ClientHelloAsync();
        List<ScenarioFigure> figures = [];
        foreach (var limit in context.OpenFiles)
        {
            RequireFiles(limit);
            foreach (var (inCluster, load) in LoadsFor(limit, tls, hello))
            {
                if (!inCluster || PostgresServer.IsInstalled)
                {
                    await using var whip = await LimitedWhip.StartAsync(folder, tls, LimitedPart.Broker, limit, cancellationToken, inCluster);
                    var strangers = load(whip);
                    await AddAsync(strangers.Name, await LoadWithStrangersAsync(whip, strangers, context.Length, DialLimit, cancellationToken));
                }
            }

            foreach (var part in Enum.GetValues<LimitedPart>())
            {
                await using var whip = await LimitedWhip.StartAsync(folder, tls, part, limit, cancellationToken);
                await AddAsync($"{part}-relays".ToLowerInvariant(), await LoadWithRelaysAsync(whip, limit / 2, context.Length, DialLimit, cancellationToken));
            }

            Task AddAsync(string load, IEnumerable<ScenarioFigure> more)
            {
                figures.AddRange(more.Select(figure => figure with { Parameters = [.. figure.Parameters, ("open-files", limit), ("load", load)] }));
                return context.NoteAsync($"{limit} open files, {load}: done");
            }
        }

        return figures;
    }

    /// <summary>Connections of strangers; dials go on all the time.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> LoadWithStrangersAsync(
        LimitedWhip whip, StrangerLoad load, TimeSpan length, TimeSpan dialLimit, CancellationToken cancellationToken)
    {
        // What the load makes the program load of itself stays open.
        await using (new SilentConnections(load with { Count = Strangers / 2 }))
        {
            await DialAsync(whip, WarmUp, dialLimit, cancellationToken);
        }

        var before = await SettledAsync(whip, cancellationToken);
        int opened;
        IReadOnlyList<ScenarioFigure> dials;
        await using (var strangers = new SilentConnections(load))
        {
            dials = await DialAsync(whip, length, dialLimit, cancellationToken);
            opened = strangers.Opened;
        }

        var after = await AfterAsync(whip, before, dialLimit, cancellationToken);
        return [.. dials, .. after, new("log-lines", whip.Limited.Error.Count, "", LinesGoal, ("opened", opened))];
    }

    /// <summary>More relays than there is room for. Those that do not fit are refused; after a few others have ended, dials succeed again.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> LoadWithRelaysAsync(
        LimitedWhip whip, int count, TimeSpan length, TimeSpan dialLimit, CancellationToken cancellationToken)
    {
        // What the load makes the program load of itself stays open, and would take the place of the relays that end.
        await DialAsync(whip, WarmUp, dialLimit, cancellationToken);
        await FillAsync(whip, count, () => Task.CompletedTask, cancellationToken);
        var before = await SettledAsync(whip, cancellationToken);
        IReadOnlyList<ScenarioFigure> dials = [];
        var (relays, most) = await FillAsync(whip, count, async () => dials = await DialAsync(whip, length, dialLimit, cancellationToken), cancellationToken);
        return
        [
            .. dials,
            .. await AfterAsync(whip, before, dialLimit, cancellationToken),
            Most(whip, most),
            new("refused", count - relays, "", null, ("relays", relays)),
        ];
    }

    /// <summary>Opens relays, ends a few, and does something while the others are open.</summary>
    /// <returns>How many there was room for, and the most files that were open.</returns>
    private static async Task<(int Relays, int Most)> FillAsync(LimitedWhip whip, int count, Func<Task> meanwhile, CancellationToken cancellationToken)
    {
        var relays = new List<Leg>();
        try
        {
            foreach (var some in Enumerable.Range(0, count).Chunk(OpenedAtATime))
            {
                relays.AddRange((await Task.WhenAll(some.Select(_ => TryOpenAsync(whip, cancellationToken)))).OfType<Leg>());
            }

            var most = whip.OpenFiles;
            foreach (var leg in relays.Take(Freed))
            {
                leg.Abort();
            }

            await meanwhile();
            return (relays.Count, most);
        }
        finally
        {
            relays.ForEach(leg => leg.Abort());
        }
    }

    /// <summary>What strangers do to a broker, and whether it is one of a cluster.</summary>
    private static IEnumerable<(bool InCluster, Func<LimitedWhip, StrangerLoad> Load)> LoadsFor(int limit, bool tls, byte[] hello)
    {
        var many = Math.Max(ManyStrangers, limit * 3 / 2);
        var reopened = limit / ReopenedPart;
        yield return (false, whip => StrangerLoad.Silent($"silent-{Strangers}", whip.Ports, Strangers, reopened, []));
        yield return (false, whip => StrangerLoad.Silent($"silent-{many}", whip.Ports, many, reopened, []));
        yield return (false, whip => StrangerLoad.Silent($"hello-{many}", whip.Ports, many, reopened, hello));
        if (tls)
        {
            yield return (false, whip => new StrangerLoad(
                $"authenticated-{many}", [whip.Limited.Addresses["dial"]], many, Math.Max(1, limit / AuthenticatedPart),
                (port, cancellationToken) => Stranger.AuthenticatedAsync(port, whip.Identity!, cancellationToken)));
        }

        if (limit >= LeastOfCluster)
        {
            yield return (true, whip => StrangerLoad.Silent($"silo-gateway-{2 * many}", whip.SiloPorts, 2 * many, reopened, []));
        }
    }

    /// <summary>Whether this process, and the programs without the limit, can hold the other ends of the connections.</summary>
    private static void RequireFiles(int limit)
    {
        var needed = (3 * Math.Max(ManyStrangers, limit)) + OwnFiles;
        if (OpenFiles.Limit() < needed)
        {
            throw new PartFailedException("whip-bench", $"the limit of open files, {OpenFiles.Limit()}, is too small; try ulimit -n {needed}", []);
        }
    }

    private static async Task<Leg?> TryOpenAsync(LimitedWhip whip, CancellationToken cancellationToken)
    {
        try
        {
            return await whip.Dialer.AskAsync(RefusalLimit, cancellationToken);
        }
        catch (DialFailedException)
        {
            return null;
        }
    }

    /// <summary>One dial after the other for a time. One that is refused is tried again, for no longer than <paramref name="dialLimit"/>.</summary>
    private static async Task<IReadOnlyList<ScenarioFigure>> DialAsync(
        LimitedWhip whip, TimeSpan length, TimeSpan dialLimit, CancellationToken cancellationToken)
    {
        var (dials, failed, refused, most, slowest, started) = (0, 0, 0, 0, TimeSpan.Zero, Stopwatch.GetTimestamp());
        var failures = new HashSet<string>();
        while (Stopwatch.GetElapsedTime(started) < length)
        {
            await Task.Delay(DialInterval, cancellationToken);
            most = Math.Max(most, whip.OpenFiles);
            var begun = Stopwatch.GetTimestamp();
            dials++;
            while (await RefusalAsync(whip, dialLimit - Stopwatch.GetElapsedTime(begun), cancellationToken) is { } refusal)
            {
                failures.Add(refusal);
                refused++;
                if (Stopwatch.GetElapsedTime(begun) >= dialLimit)
                {
                    failed++;
                    break;
                }

                await Task.Delay(RetryInterval, cancellationToken);
            }

            var took = Stopwatch.GetElapsedTime(begun);
            slowest = took > slowest ? took : slowest;
        }

        return
        [
            new("dials-failed", failed, "", 0, ("dials", dials), ("attempts-refused", refused), ("refusals", string.Join("; ", failures))),
            new("dial-slowest", slowest.TotalSeconds, "s", dialLimit.TotalSeconds),
            Most(whip, most),
        ];
    }

    /// <summary>Dials once; null: the service has answered.</summary>
    private static async Task<string?> RefusalAsync(LimitedWhip whip, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            (await whip.Dialer.AskAsync(limit, cancellationToken)).Abort();
            return null;
        }
        catch (DialFailedException failure)
        {
            return failure.Message;
        }
    }

    private static ScenarioFigure Most(LimitedWhip whip, int openFiles) => new("descriptors-most", openFiles, "", whip.Limit - LeastFree);

    private static async Task<int> SettledAsync(LimitedWhip whip, CancellationToken cancellationToken)
    {
        var open = whip.OpenFiles;
        await Polling.UntilAsync(
            () =>
            {
                var (last, now) = (open, whip.OpenFiles);
                open = now;
                return now >= last;
            },
            RefusalLimit, DialInterval * 2, cancellationToken);
        return open;
    }

    private static async Task<IReadOnlyList<ScenarioFigure>> AfterAsync(
        LimitedWhip whip, int before, TimeSpan dialLimit, CancellationToken cancellationToken)
    {
        if (whip.Limited.Ended.IsCompleted)
        {
            throw whip.Limited.Failed($"ended with exit code {await whip.Limited.Ended}");
        }

        var left = await whip.LeftAsync(before, LeftGoal, cancellationToken);
        (await whip.Dialer.AskAsync(dialLimit, cancellationToken)).Abort();
        return [new("descriptors-left", left, "", LeftGoal, ("before", before))];
    }
}
