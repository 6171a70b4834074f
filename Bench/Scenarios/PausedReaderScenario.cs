using Whip.Protocol.Legs;

namespace Whip.Bench.Scenarios;

/// <summary>
/// Very many readers that stop while the service sends: what the broker and the agent keep for them stays within its budget, other dials go on, and
/// when they read again nothing is lost. Runs in a network of its own, see <see cref="OwnNetwork"/>.
/// </summary>
internal static class PausedReaderScenario
{
    public const string Name = "paused-readers";

    private const int Readers = 2000;
    private const int OpenedAtATime = 16;
    private const int ReadAgain = 1024 * 1024;
    private const int Piece = 16 * 1024;

    // As docs/operations.md has it: two for each relay, one for each agent, and 1,000.
    private const int Files = (2 * Readers) + 1 + 1000;

    // Of design and WhipLimits.BlockedRelayBytes.
    private const double GoalMib = 256;

    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(9);

    private static readonly TimeSpan DialLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan OpenLimit = TimeSpan.FromSeconds(30);

    // The buffers of so many connections can be more than tcp_mem: the kernel then drops segments, which are sent again after two minutes at most.
    private static readonly TimeSpan ReadLimit = TimeSpan.FromMinutes(4);

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopLimit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        await OwnNetwork.RequireAsync(Name);
        await using var whip = await LimitedWhip.StartAsync(
            context.Setup.ProgramFolder, context.Setup.Tls, LimitedPart.Broker, Files, cancellationToken);
        var readers = new List<Leg>();
        try
        {
            foreach (var some in Enumerable.Range(0, Readers).Chunk(OpenedAtATime))
            {
                readers.AddRange(await Task.WhenAll(some.Select(_ => whip.Dialer.DialAsync(OpenLimit, cancellationToken))));
            }

            await Task.Delay(Quiet, cancellationToken);
            var memory = whip.Programs.Take(2).Select(program => new Memory(program)).ToArray();
            await Task.WhenAll(readers.Select((leg, i) => leg.WriteAsync(CheckingService.Request(CheckingService.Download, i), cancellationToken).AsTask()));
            var isStill = await WhenStillAsync(whip.Service, memory, cancellationToken);
            var begun = Stopwatch.GetTimestamp();
            (await whip.Dialer.AskAsync(DialLimit, cancellationToken)).Abort();
            var dial = Stopwatch.GetElapsedTime(begun);
            var sent = whip.Service.Downloaded;
            memory = Array.ConvertAll(memory, reading => reading.Read());
            var lost = await Task.WhenAll(readers.Select((leg, i) => ReadAsync(leg, i, cancellationToken)));
            (string, object)[] parameters = [("readers", Readers), ("sent-mib", sent / (1024 * 1024)), ("stopped", isStill)];
            return
            [
                .. memory.SelectMany(reading => reading.Figures(GoalMib, parameters)),
                new("readers-lost", lost.Count(isLost => isLost), "", 0, parameters),
                new("dial", dial.TotalSeconds, "s", DialLimit.TotalSeconds, parameters),
            ];
        }
        finally
        {
            readers.ForEach(leg => leg.Abort());
        }
    }

    /// <summary>Until the service can send no more, for some time, in which the relays give back what they can.</summary>
    private static async Task<bool> WhenStillAsync(CheckingService service, Memory[] memory, CancellationToken cancellationToken)
    {
        var (sent, since) = (service.Downloaded, Stopwatch.GetTimestamp());
        return await Polling.UntilAsync(
            () =>
            {
                foreach (ref var reading in memory.AsSpan())
                {
                    reading = reading.Read();
                }

                (sent, since) = sent == service.Downloaded ? (sent, since) : (service.Downloaded, Stopwatch.GetTimestamp());
                return Stopwatch.GetElapsedTime(since) > Quiet;
            },
            StopLimit, Interval, cancellationToken);
    }

    /// <returns>Whether the stream broke, or its content was wrong.</returns>
    private static async Task<bool> ReadAsync(Leg leg, long start, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ReadLimit);
        try
        {
            var bytes = new byte[Piece];
            for (var position = start; position < start + ReadAgain; position += Piece)
            {
                await leg.ReadExactlyAsync(bytes, limit.Token);
                if (!Pattern.Matches(position, bytes))
                {
                    return true;
                }
            }

            return false;
        }
        catch (Exception error) when (error is IOException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return true;
        }
    }

    /// <summary>The resident memory of a program: before the readers stopped, at most since then, and now.</summary>
    private sealed record Memory(WhipProcess Program)
    {
        private long Before { get; init; } = LinuxProcess.ResidentKib(Program.Id);

        private long Most { get; init; }

        private long Now { get; init; }

        public Memory Read()
        {
            var now = LinuxProcess.ResidentKib(Program.Id);
            return this with { Most = Math.Max(Most, now), Now = now };
        }

        public IEnumerable<ScenarioFigure> Figures(double goal, (string, object)[] parameters)
        {
            (string, object)[] all = [("program", Program.Part), ("before-mib", Before / 1024), .. parameters];
            yield return new("memory", (Now - Before) / 1024.0, "MiB", goal, all);
            yield return new("memory-most", (Most - Before) / 1024.0, "MiB", goal, all);
        }
    }
}
