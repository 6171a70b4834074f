using System.Net.Security;
using System.Net.Sockets;
using Whip.Bench.Measuring;

namespace Whip.Bench.Beside;

/// <summary><c>whip-bench beside</c>: measures Whip and its peers in turn, on one machine with one generator, and judges the ratios.</summary>
internal sealed class BesideRun(BenchOptions options, TextWriter output, TextWriter notes)
{
    private readonly Dictionary<(string Subject, Workload Workload), List<Sample>> _samples = [];
    private readonly Random _random = new(options.Seed);
    private readonly FigureWriter _plain = new(output, notes, tls: false);
    private readonly FigureWriter _mtls = new(output, notes, tls: true);

    /// <exception cref="PartFailedException">haproxy is missing, a program failed, or handshakes are not all the same.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // Before the half hour: that the document has a place for it.
        await RenewAsync(new BesideTable([], []), []);
        var haproxy = ProgramFiles.Require(HaproxySubject.Program, HaproxySubject.Install);
        var figures = Figure.All.Where(figure => options.Only.Count == 0 || options.Only.Contains(figure.Name)).ToArray();
        var version = (await ShellCommand.RunAsync(Path.GetTempPath(), haproxy, "-v")).Text.Split(' ').ElementAtOrDefault(2) ?? "of no version";
        var conditions = FormattableString.Invariant(
            $"haproxy {version}, {Environment.ProcessorCount} cores for all, {options.Pairs} pairs of {options.Seconds} s each, seed {options.Seed}");
        await NoteAsync($"{conditions}, load average {FigureWriter.LoadAverage}");
        await using var parts = await BesideParts.StartAsync(options.ProgramFolder, cancellationToken);
        await NoteAsync(parts.TlsText);
        try
        {
            await MeasureAsync(parts, figures, cancellationToken);
        }
        catch (DialFailedException failure)
        {
            throw new PartFailedException("a dial or stream", failure.Message, [], failure);
        }

        await WriteAsync(figures, [conditions, parts.TlsText]);
    }

    private async Task MeasureAsync(BesideParts parts, Figure[] figures, CancellationToken cancellationToken)
    {
        var work = figures
            .SelectMany(figure => figure.Workloads.SelectMany(workload => figure.Peers.Append(figure.Whip).Select(subject => (workload, subject))))
            .Where(needed => !Multiplexer.Names.Contains(needed.subject) || Multiplexer.IsHere(needed.subject))
            .Distinct()
            .ToLookup(needed => needed.workload, needed => needed.subject);
        var (loads, running) = (new Loads(parts.Service), new Dictionary<string, Subject>());
        try
        {
            foreach (var name in work.Where(w => w.Key.Kind != Kind.Idle).SelectMany(w => w).Distinct())
            {
                await NoteAsync($"starting and warming {name}");
                running[name] = await parts.StartAsync(name, new Dictionary<string, string>(), cancellationToken);
                await CheckTlsAsync(parts, running[name], cancellationToken);
                await loads.WarmUpAsync(running[name], work.Where(w => w.Contains(name)).Select(w => w.Key), cancellationToken);
            }

            for (var pair = 1; pair <= options.Pairs; pair++)
            {
                foreach (var workload in work)
                {
                    var order = workload.ToArray();
                    _random.Shuffle(order);
                    foreach (var name in order)
                    {
                        await MeasureAsync(parts, loads, running.GetValueOrDefault(name), pair, name, workload.Key, cancellationToken);
                    }
                }
            }
        }
        finally
        {
            foreach (var subject in running.Values)
            {
                await subject.DisposeAsync();
            }
        }
    }

    private async Task MeasureAsync(
        BesideParts parts, Loads loads, Subject? running, int pair, string name, Workload workload, CancellationToken cancellationToken)
    {
        // Memory that a process had before, it may still have.
        var isNew = workload.Kind == Kind.Idle;
        var subject = isNew ? await parts.StartAsync(name, MemoryMeasurement.Environment, cancellationToken) : running!;
        await using (isNew ? subject : null)
        {
            var sample = await loads.RunAsync(subject, workload, options.Length, cancellationToken);
            if (!_samples.TryGetValue((name, workload), out var samples))
            {
                _samples[(name, workload)] = samples = [];
            }

            samples.Add(sample);
            await NoteAsync($"pair {pair}, {workload}, {name}: {sample.Describe(workload)}");
        }
    }

    private async Task WriteAsync(Figure[] figures, string[] conditions)
    {
        var rows = new List<Row>();
        foreach (var figure in figures)
        {
            var judged = figure.Workloads.Select(w => Row.Judge(figure, w, subject => _samples.GetValueOrDefault((subject, w)) ?? [])).OfType<Row>().ToArray();
            rows.AddRange(judged);
            foreach (var row in judged)
            {
                var (name, value, seconds) = (figure.Name, row.Ratio.Median, options.Seconds * row.Pairs.Count);
                await (figure.Whip.Contains("mtls", StringComparison.Ordinal) ? _mtls : _plain).WriteAsync(name, value, "ratio", seconds, row.Parameters());
            }
        }

        var table = new BesideTable(rows, figures.Where(figure => !rows.Exists(row => row.Figure == figure)));
        foreach (var line in table.Lines())
        {
            await notes.WriteLineAsync(line);
        }

        await RenewAsync(table, conditions);
    }

    private async Task RenewAsync(BesideTable table, string[] conditions)
    {
        if (!string.IsNullOrEmpty(options.Readme))
        {
            await File.WriteAllTextAsync(options.Readme, table.Into(await File.ReadAllTextAsync(options.Readme), conditions));
        }
    }

    /// <summary>The generator's handshake with a subject: what all others have to be like.</summary>
    private static async Task CheckTlsAsync(BesideParts parts, Subject subject, CancellationToken cancellationToken)
    {
        if (subject.TlsFront is not { } front)
        {
            return;
        }

        using var socket = new TcpClient();
        await socket.ConnectAsync(front, cancellationToken);
        await using var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(parts.Dialer.ClientOptions($"{front.Address}", front.Port), cancellationToken);
        if (tls.NegotiatedCipherSuite.ToString() is not BesideParts.Suite)
        {
            throw new PartFailedException(subject.Name, $"speaks {tls.SslProtocol} with {tls.NegotiatedCipherSuite}", []);
        }
    }

    private Task NoteAsync(string text) => _plain.NoteAsync(text);
}
