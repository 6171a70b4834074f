using System.Net;
using System.Net.Sockets;

namespace Whip.Bench.Scenarios;

/// <summary>
/// Very many connections that are refused, at each listener of each program, one after the other: the log stays short, every descriptor comes back, and
/// dials go on.
/// </summary>
internal static class RefusalScenario
{
    public const string Name = "refusals";

    private const int Refused = 20_000;
    private const int AtATime = 32;
    private const int Files = 4096;
    private const int LinesGoal = 200;
    private const int LeftGoal = 8;

    /// <summary>How long a run may take: the proxy's two listeners, the agent's one and the broker's seven, each in two ways.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);

    // Nothing that a listener expects: neither TLS, nor HTTP, nor the preamble of a silo or a leg.
    private static readonly byte[] Garbage = [0x16, .. "no record\r\n\r\n"u8];

    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan DialLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BackTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan BackInterval = TimeSpan.FromMilliseconds(100);

    // Until the last lines of the log are here.
    private static readonly TimeSpan LogDelay = TimeSpan.FromSeconds(1);

    public static async Task<IReadOnlyList<ScenarioFigure>> RunAsync(ScenarioContext context, CancellationToken cancellationToken)
    {
        var (folder, tls) = (context.Setup.ProgramFolder, context.Setup.Tls);
        await using var whip = await LimitedWhip.StartAsync(folder, tls, LimitedPart.Broker, Files, cancellationToken, PostgresServer.IsInstalled);
        List<ScenarioFigure> figures = [];
        foreach (var program in whip.Programs)
        {
            foreach (var (listener, port) in program.Addresses)
            {
                foreach (var isReset in new[] { false, true })
                {
                    var more = await RefuseAsync(program, port, isReset, cancellationToken);
                    (string, object)[] where = [("program", program.Part), ("listener", listener), ("sends", isReset ? "a reset" : "garbage")];
                    figures.AddRange(more.Select(figure => figure with { Parameters = [.. where, .. figure.Parameters] }));
                }

                await context.NoteAsync($"{program.Part}, {listener}: done");
                (await whip.Dialer.AskAsync(DialLimit, cancellationToken)).Abort();
            }
        }

        return figures;
    }

    private static async Task<IReadOnlyList<ScenarioFigure>> RefuseAsync(
        WhipProcess program, IPEndPoint port, bool isReset, CancellationToken cancellationToken)
    {
        // What the first ones make the program load of itself stays open.
        var lines = program.Error.Count;
        await RefuseAsync(port, isReset, AtATime * 2, cancellationToken);
        await Task.Delay(LogDelay, cancellationToken);
        var files = LinuxProcess.OpenFiles(program.Id);
        var failed = await RefuseAsync(port, isReset, Refused, cancellationToken);
        await Polling.UntilAsync(() => Left() <= LeftGoal, BackTimeout, BackInterval, cancellationToken);
        await Task.Delay(LogDelay, cancellationToken);
        return
        [
            new("log-lines", program.Error.Count - lines, "", LinesGoal, ("connections", Refused)),
            new("not-refused", failed, "", 0, ("connections", Refused)),
            new("descriptors-left", Left(), "", LeftGoal),
        ];

        int Left() => Math.Max(0, LinuxProcess.OpenFiles(program.Id) - files);
    }

    /// <returns>How many connections were not made, or were not ended by the program.</returns>
    private static async Task<int> RefuseAsync(IPEndPoint port, bool isReset, int count, CancellationToken cancellationToken)
    {
        var failed = 0;
        var parallelism = new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, count, parallelism, async (_, stop) =>
        {
            if (!await RefuseAsync(port, isReset, stop))
            {
                Interlocked.Increment(ref failed);
            }
        });
        return failed;
    }

    private static async Task<bool> RefuseAsync(IPEndPoint port, bool isReset, CancellationToken stop)
    {
        // A close is a reset, which leaves no port in TIME_WAIT.
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(enable: true, seconds: 0) };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(EndTimeout);
        var isConnected = false;
        try
        {
            await socket.ConnectAsync(port, limit.Token);
            isConnected = true;
            var answer = new byte[1024];
            await (isReset ? ValueTask.FromResult(0) : socket.SendAsync(Garbage, limit.Token));
            while (!isReset && await socket.ReceiveAsync(answer, limit.Token) > 0)
            {
            }

            return true;
        }
        catch (SocketException error)
        {
            // A listener with many connections may close one before its client knows of it.
            return isConnected || error.SocketErrorCode == SocketError.ConnectionReset;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }
}
