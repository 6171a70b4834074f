namespace Whip.Bench.Scenarios;

/// <summary>
/// A network vanishes with a dialer, and with an agent, in it, while their relays are idle, or carry bytes to it or from it: both ends of each notice.
/// A dialer that only does not read, and one whose process is stopped, are waited for, and get every byte. Runs in a network of its own, see
/// <see cref="OwnNetwork"/>.
/// </summary>
internal static class VanishedPeerScenario
{
    public const string Name = "vanished-peers";

    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(6);

    private const double NoticedGoal = 90;

    // With a dialer in the far network, and with an agent there: idle; the service sends; the dialer sends.
    private const string FarDialers = "abc";
    private const string FarAgents = "ABC";

    // Several times the limit of a machine that acknowledges nothing.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(200);

    // What carries bytes has carried some by then.
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await OwnNetwork.RequireAsync(Name);
        await using var far = await FarNetwork.StartAsync();
        await using var whip = await SplitWhip.StartAsync(context.Setup, far, cancellationToken);
        await using var farDialers = new PipedRelays(FarDialers, relay => whip.Connect(relay, far.Through));
        await using var stopped = new PipedRelays("s", relay => whip.Connect(relay, through: null));
        await using var nearDialers = new LegRelays();
        foreach (var relay in FarAgents)
        {
            nearDialers.Add(relay, await whip.DialAsync(relay, StartLimit, cancellationToken));
        }

        await using var paused = await whip.DialAsync('p', StartLimit, cancellationToken);
        if (!await Polling.UntilAsync(() => whip.Service.Begun == FarDialers.Length + FarAgents.Length + 2, StartLimit, Interval, cancellationToken))
        {
            throw whip.Broker.Failed($"only {whip.Service.Begun} relays have reached the service");
        }

        stopped.Signal(ProcessSignal.Stop);
        await Task.Delay(Before, cancellationToken);
        await far.VanishAsync();
        var since = Stopwatch.GetTimestamp();
        await context.NoteAsync("the far network has vanished");
        var noticed = await NoticedAsync(whip, farDialers, nearDialers, since, cancellationToken);
        await Task.Delay(Remaining(since), cancellationToken);
        stopped.Signal(ProcessSignal.Continue);
        return
        [
            .. noticed,
            new("reader-lost", await IsWholeAsync(paused, cancellationToken) ? 0 : 1, "", 0, ("reader", "paused")),
            new("reader-lost", await IsWholeAsync(stopped.OutputOf('s'), cancellationToken) ? 0 : 1, "", 0, ("reader", "stopped")),
        ];
    }

    /// <summary>When each end of each relay has ended, but for the far agent's service, which is here.</summary>
    private static async Task<IReadOnlyList<ScenarioFigure>> NoticedAsync(
        SplitWhip whip, PipedRelays farDialers, LegRelays nearDialers, long since, CancellationToken cancellationToken)
    {
        var farEnds = Task.WhenAll(FarDialers.Select(relay => farDialers.EndAsync(relay, since, EndLimit)));
        var farLog = WhenAgentEndsAsync(whip.FarAgent, since, cancellationToken);
        var nearEnds = Task.WhenAll(FarAgents.Select(relay => nearDialers.EndAsync(relay, since, EndLimit)));
        await Polling.UntilAsync(() => FarDialers.All(relay => whip.Service.EndOf(relay, since) is not null), EndLimit, Interval, cancellationToken);
        return
        [
            .. FarDialers.Select(relay => Noticed(relay, "service", whip.Service.EndOf(relay, since))),
            .. (await farEnds).Zip(FarDialers, (time, relay) => Noticed(relay, "dialer", time)),
            .. (await nearEnds).Zip(FarAgents, (time, relay) => Noticed(relay, "dialer", time)),
            .. (await farLog).Select(time => Noticed('?', "agent", time)),
        ];
    }

    private static TimeSpan Remaining(long since)
    {
        var remaining = Pause - Stopwatch.GetElapsedTime(since);
        return remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
    }

    private static ScenarioFigure Noticed(char relay, string by, TimeSpan? time)
    {
        var (vanished, carries) = relay switch
        {
            'a' => ("dialer", "nothing"),
            'b' => ("dialer", "bytes to the dialer"),
            'c' => ("dialer", "bytes to the service"),
            'A' => ("agent", "nothing"),
            'B' => ("agent", "bytes to the dialer"),
            'C' => ("agent", "bytes to the service"),
            _ => ("agent", "any"),
        };
        return new("noticed", (time ?? EndLimit).TotalSeconds, "s", NoticedGoal, ("far", vanished), ("carries", carries), ("by", by));
    }

    /// <summary>When the relays of the far agent have ended, as its log says.</summary>
    private static async Task<IReadOnlyList<TimeSpan?>> WhenAgentEndsAsync(WhipProcess agent, long since, CancellationToken cancellationToken)
    {
        var times = new List<TimeSpan?>();
        await Polling.UntilAsync(
            () =>
            {
                for (var ended = agent.Error.Count(line => line.Contains(" a relay to port ", StringComparison.Ordinal)); times.Count < ended;)
                {
                    times.Add(Stopwatch.GetElapsedTime(since));
                }

                return times.Count >= FarAgents.Length;
            },
            EndLimit, Interval, cancellationToken);
        return [.. times, .. Enumerable.Repeat<TimeSpan?>(null, Math.Max(0, FarAgents.Length - times.Count))];
    }

    /// <summary>Whether what the service sent arrives, all of it and in order.</summary>
    private static async Task<bool> IsWholeAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(EndLimit);
        var bytes = new byte[Pattern.MaxPiece];
        var position = 0;
        try
        {
            while (await stream.ReadAsync(bytes, limit.Token) is > 0 and var read)
            {
                if (!Pattern.Matches(position, bytes.AsSpan(0, read)))
                {
                    return false;
                }

                position += read;
            }
        }
        catch (Exception error) when (error is IOException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }

        return position == VanishingService.Length;
    }
}
