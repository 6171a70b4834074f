using Whip.Protocol.Legs;

namespace Whip.Bench.Scenarios;

/// <summary>
/// Few open files, and more connections than there is room for: the program lives, honest dials go on, and every descriptor comes back. Strangers load
/// the broker; relays load the agent and the proxy.
/// </summary>
internal static class DescriptorScenario
{
    public const string Name = "descriptors";

    private const int Loads = 5;
    private const int ManyStrangers = 1600;
    private const int Strangers = 100;
    private const int Freed = 4;
    private const int LeftGoal = 8;
    private const int LinesGoal = 200;
    private const int OpenedAtATime = 16;

    // Of the limit, strangers come back in a tenth of a second.
    private const int ReopenedPart = 50;

    private static readonly int[] Limits = [256, 512, 1024, 4096];
    private static readonly TimeSpan DialLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RefusalLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DialInterval = TimeSpan.FromMilliseconds(250);

    // To start the programs and to see everything closed.
    private static readonly TimeSpan Around = TimeSpan.FromMinutes(1);

    /// <summary>How long a run may take whose every load lasts for <paramref name="length"/>.</summary>
    public static TimeSpan LimitFor(TimeSpan length) => Limits.Length * Loads * (length + Around);

    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        var (folder, tls) = (context.Setup.ProgramFolder, context.Setup.Tls);
        var hello = await SilentConnections.ClientHelloAsync();
        List<ScenarioFigure> figures = [];
        foreach (var limit in Limits)
        {
            await StrangersAsync(Strangers, []);
            await StrangersAsync(ManyStrangers, []);
            await StrangersAsync(ManyStrangers, hello);
            await RelaysAsync(LimitedPart.Agent);
            await RelaysAsync(LimitedPart.Proxy);

            async Task StrangersAsync(int count, byte[] first)
            {
                await using var whip = await LimitedWhip.StartAsync(folder, tls, LimitedPart.Broker, limit, cancellationToken);
                Add(first.Length > 0 ? "hello" : $"silent-{count}", await LoadWithStrangersAsync(whip, count, first, context.Length, cancellationToken));
            }

            async Task RelaysAsync(LimitedPart part)
            {
                await using var whip = await LimitedWhip.StartAsync(folder, tls, part, limit, cancellationToken);
                Add($"{part}-relays".ToLowerInvariant(), await LoadWithRelaysAsync(whip, limit, context.Length, cancellationToken));
            }

            void Add(string load, IEnumerable<ScenarioFigure> more) =>
                figures.AddRange(more.Select(figure => figure with { Parameters = [.. figure.Parameters, ("open-files", limit), ("load", load)] }));
        }

        return figures;
    }

    /// <summary>Connections of strangers at every port; dials go on all the time.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> LoadWithStrangersAsync(
        LimitedWhip whip, int count, byte[] first, TimeSpan length, CancellationToken cancellationToken)
    {
        // What the load makes the program load of itself stays open.
        await using (new SilentConnections(whip.Ports, Strangers / 2, whip.Limit / ReopenedPart, first))
        {
            await DialAsync(whip, DialLimit * 2, cancellationToken);
        }

        var before = await SettledAsync(whip, cancellationToken);
        int opened;
        IReadOnlyList<ScenarioFigure> dials;
        await using (var strangers = new SilentConnections(whip.Ports, count, whip.Limit / ReopenedPart, first))
        {
            dials = await DialAsync(whip, length, cancellationToken);
            opened = strangers.Opened;
        }

        return [.. dials, .. await AfterAsync(whip, before, cancellationToken), new("log-lines", whip.Limited.Error.Count, "", LinesGoal, ("opened", opened))];
    }

    /// <summary>More relays than there is room for. Those that do not fit are refused; after a few others have ended, dials succeed again.</summary>
    public static async Task<IReadOnlyList<ScenarioFigure>> LoadWithRelaysAsync(
        LimitedWhip whip, int count, TimeSpan length, CancellationToken cancellationToken)
    {
        await DialAsync(whip, DialLimit, cancellationToken);
        var before = await SettledAsync(whip, cancellationToken);
        var relays = new List<Leg>();
        try
        {
            var refused = 0;
            foreach (var some in Enumerable.Range(0, count).Chunk(OpenedAtATime))
            {
                var opened = await Task.WhenAll(some.Select(_ => TryOpenAsync(whip, cancellationToken)));
                relays.AddRange(opened.OfType<Leg>());
                refused += opened.Count(leg => leg is null);
            }

            foreach (var leg in relays.Take(Freed))
            {
                leg.Abort();
            }

            var dials = await DialAsync(whip, length, cancellationToken);
            relays.ForEach(leg => leg.Abort());
            return [.. dials, .. await AfterAsync(whip, before, cancellationToken), new("refused", refused, "", null, ("relays", relays.Count))];
        }
        finally
        {
            relays.ForEach(leg => leg.Abort());
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

    /// <summary>One dial after the other for a time.</summary>
    private static async Task<IReadOnlyList<ScenarioFigure>> DialAsync(LimitedWhip whip, TimeSpan length, CancellationToken cancellationToken)
    {
        var (dials, failed, slowest, started) = (0, 0, TimeSpan.Zero, Stopwatch.GetTimestamp());
        var failures = new HashSet<string>();
        while (Stopwatch.GetElapsedTime(started) < length)
        {
            await Task.Delay(DialInterval, cancellationToken);
            var begun = Stopwatch.GetTimestamp();
            try
            {
                dials++;
                (await whip.Dialer.AskAsync(DialLimit, cancellationToken)).Abort();
            }
            catch (DialFailedException failure)
            {
                failed++;
                failures.Add(failure.Message);
            }

            var took = Stopwatch.GetElapsedTime(begun);
            slowest = took > slowest ? took : slowest;
        }

        return
        [
            new("dials-failed", failed, "", 0, ("dials", dials), ("failures", string.Join("; ", failures))),
            new("dial-slowest", slowest.TotalSeconds, "s", DialLimit.TotalSeconds),
        ];
    }

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

    private static async Task<IReadOnlyList<ScenarioFigure>> AfterAsync(LimitedWhip whip, int before, CancellationToken cancellationToken)
    {
        if (whip.Limited.Ended.IsCompleted)
        {
            throw whip.Limited.Failed($"ended with exit code {await whip.Limited.Ended}");
        }

        var left = await whip.LeftAsync(before, LeftGoal, cancellationToken);
        (await whip.Dialer.AskAsync(DialLimit, cancellationToken)).Abort();
        return [new("descriptors-left", left, "", LeftGoal, ("before", before))];
    }
}
