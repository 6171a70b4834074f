using System.CommandLine;
using Whip.Bench.Beside;
using Whip.Bench.Demo;
using Whip.Bench.Fuzz;
using Whip.Bench.Kept;
using Whip.Bench.Measuring;
using Whip.Bench.Registry;
using Whip.Bench.Scenarios;
using Whip.Hosting.Flags;

namespace Whip.Bench;

/// <summary>The <c>whip-bench</c> command: its subcommands, and how its errors end.</summary>
internal sealed class BenchCommand
{
    // What a shell reports for a program that Ctrl-C ended.
    private const int Interrupted = 130;

    private const double TroubleSeconds = 30;

    private const double PairSeconds = 3;

    // Two minutes of trouble, and the start.
    private static readonly TimeSpan ScenarioLimit = TimeSpan.FromMinutes(2.5);

    // For each agent that the user asks for: six handshakes, at both ends.
    private static readonly TimeSpan AgentAllowance = TimeSpan.FromMilliseconds(30);

    // For the start, and until all is quiet.
    private static readonly TimeSpan SoakAllowance = TimeSpan.FromMinutes(4);

    // For the start, until all is quiet, and for what is told falsely.
    private static readonly TimeSpan KeptAllowance = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan DialAllowance = TimeSpan.FromMilliseconds(20);

    private readonly CommandTree _tree;
    private readonly BenchFlags _shared = new BenchFlags("whip-bench", "", static () => new BenchOptions()).Programs();

    private BenchCommand(CommandTree tree) => _tree = tree;

    /// <summary>Runs one command line and returns the exit code: 0, 1 when something failed, 2 for a bad command line, 130 when interrupted.</summary>
    public static Task<int> RunAsync(
        string[] args, TextWriter output, TextWriter error, CancellationToken interrupt, Func<string, string?>? variable = null)
    {
        var tree = new CommandTree("whip-bench", new CommandLine(args, variable ?? Environment.GetEnvironmentVariable), output, error);
        return tree.RunAsync(new BenchCommand(tree).Root(), interrupt);
    }

    private RootCommand Root()
    {
        var root = new RootCommand("Shows Whip at work on this machine, and measures it: one line of JSON for each figure.");
        _shared.ShareWith(root);
        Command[] commands =
        [
            Runnable(
                Flags("demo", "Starts a broker, two agents and a proxy, all mutual TLS, dials in every way, and ends everything."),
                (options, stop) => BrokerDemo.DemoAsync(options.ProgramFolder, _tree.Output, stop)),
            Runnable(
                Flags("up", "Does the same, prints what to try, and stays until Ctrl-C."),
                (options, stop) => BrokerDemo.UpAsync(options.ProgramFolder, _tree.Output, stop)),
            Runnable(
                Flags("up-cluster", "Starts a PostgreSQL, three brokers, four agents in two domains and a proxy, prints what to try, and stays until Ctrl-C."),
                (options, stop) => new ClusterDemo(options.ProgramFolder, _tree.Output).UpAsync(stop)),
            Dials(),
            Relay(),
            Memory(),
            Registry(),
            Grains(),
            Beside(),
            Service(),
            Chaos(),
            Soak(),
            Kept(),
            Fuzz(),
            Runnable(
                Flags("all", "Every figure, plain and mutual TLS, in less than three minutes."),
                async (options, stop) =>
                {
                    await Measurements(options, tls: true).AllAsync(stop);
                    await Measurements(options, tls: false).AllAsync(stop);
                }),
        ];
        Array.ForEach(commands, root.Add);
        return root;
    }

    private Command Dials()
    {
        const string Description = """
            Dials per second, the time of one, and its processor time at the broker and the agent.
            A dial counts when a service that checks what it reads has answered through it. The generator sends its own CONNECT over bare legs.
            """;
        var flags = Flags("dials", Description).Sizes(nameof(BenchOptions.Concurrency), "How many dials are under way at a time; figures for each.").Dialer();
        return Runnable(
            Counted(flags),
            (options, stop) => Measurements(options).DialsAsync(options.Dialer, options.KeepLegs, [.. options.Concurrency], options.Length, stop));
    }

    private Command Relay()
    {
        const string Description = "Bytes per second each way, every byte compared, and their processor time at the broker and the agent.";
        return Runnable(
            Counted(Flags("relay", Description).Sizes(nameof(BenchOptions.Streams), "How many streams carry bytes at a time; figures for each.")),
            (options, stop) => Measurements(options).RelaysAsync([.. options.Streams], options.Length, stop));
    }

    private Command Memory()
    {
        const string Description = """
            KiB of a program, just started, and per idle agent and relay: the slope of its resident set size between two numbers of them.
            For the slopes the programs collect their garbage after every MiB.
            """;
        return Runnable(
            Flags("memory", Description)
                .Sizes(nameof(BenchOptions.IdleAgents), "Two numbers of idle agents, between which the slope is taken.", "agents")
                .Sizes(nameof(BenchOptions.IdleRelays), "Two numbers of idle relays, between which the slope is taken.", "relays")
                .Tls(),
            (options, stop) => Measurements(options).MemoryAsync([.. options.IdleAgents], [.. options.IdleRelays], stop));
    }

    private Command Registry() => Runnable(
        Flags("registry", "Bytes of a stream at its holder, without its connection, and the time to find one there; in this process.")
            .Number(nameof(BenchOptions.AttachedStreams), "How many streams, over three brokers.", 30_000, 10_000_000, "streams"),
        (options, stop) => RegistryMeasurement.RunAsync(options.AttachedStreams, Figures(tls: false), stop));

    private Command Grains()
    {
        const string Description = """
            KiB of a client in a cluster of three silos, registrations per second until each client has its grain, and the time to find one:
            through its grain, remembered, and to learn from 3 and 10 silos that nobody has it; all in this process.
            """;
        return Runnable(
            Flags("grains", Description).Number(nameof(BenchOptions.Clients), "How many clients, over three silos.", 1_000, 1_000_000),
            (options, stop) => GrainMeasurement.RunAsync(options.Clients, Figures(tls: false), stop));
    }

    private Command Beside()
    {
        const string Description = """
            Whip and haproxy in turn, by one generator: dials, bytes and memory, plain and mutual TLS; needs haproxy. One hop of it plain, two with mutual
            TLS; as it is without options, and at its best; the better one counts. Also beside frp and chisel, if they are here. A ratio is judged by the
            worse quartile of the pairs. Takes half an hour.
            """;
        return Runnable(
            Flags("beside", Description, static () => new BenchOptions { Seconds = PairSeconds }).Beside().Seconds("How long each is counted, each time."),
            (options, stop) => new BesideRun(options, _tree.Output, _tree.Error).RunAsync(stop));
    }

    private Command Service() => Runnable(
        Flags("service", "The service that beside starts and dials, alone: it prints its address and serves until Ctrl-C."),
        async (_, stop) =>
        {
            await using var service = new CheckingService();
            await _tree.Output.WriteLineAsync($"ready service=127.0.0.1:{service.Port}");
            await Task.Delay(Timeout.Infinite, stop);
        });

    private Command Chaos()
    {
        const string Description = """
            What crashes, restarts and outages do to dials: a cluster of three brokers for each run of a scenario, at most two minutes each,
            and half a minute more for a thousand of --agents. Those that load single programs take longer, and are not among all: descriptors,
            refusals, paused-readers and vanished-peers. Fails if a goal is missed.
            """;
        return Runnable(
            Flags("chaos", Description, static () => new BenchOptions { Seconds = TroubleSeconds })
                .Scenario()
                .Number(nameof(BenchOptions.Runs), "How often each scenario is run, each time with the next seed.", 1, 1000)
                .Seconds("How long the trouble of a scenario lasts, where it does not end by itself.")
                .Sizes(nameof(BenchOptions.OpenFiles), "Limits of open files for the scenario descriptors.")
                .Trouble(),
            (options, stop) =>
            {
                var name = options.Scenario;
                var limit = ScenarioLimit + (options.Agents * AgentAllowance);
                var chosen = ScenarioList.All.Where(s => name is "all" ? s.Limit is null : s.Name == name);
                return RunAsync(options, chosen, options.Length, limit, stop);
            });
    }

    private Command Soak() => Runnable(
        Flags("soak", "Dials, crashes and agents that come and go, for long: what is left of it. Fails if a goal is missed.").Soak(),
        (options, stop) =>
        {
            Scenario soak = (context, cancellationToken) => SoakScenario.RunAsync(context, options.Saturated, cancellationToken);
            return RunAsync(options, [new("soak", soak)], options.For, options.For + SoakAllowance, stop);
        });

    private Command Kept()
    {
        const string Description = """
            Dials over kept connections from a dialer through two brokers to an agent, every byte compared, broken off in every state and at every hop:
            none may get a byte of another, end cleanly where a reset was due, or fail for another's sake. Then the end of dials is told falsely, which must
            be noticed. Fails if a goal is missed.
            """;
        return Runnable(
            Flags("kept", Description).Kept(),
            (options, stop) =>
            {
                Scenario kept = (context, cancellationToken) => KeptScenario.RunAsync(context, options.Dials, cancellationToken);
                return RunAsync(options, [new("kept", kept)], options.Length, KeptAllowance + (options.Dials * DialAllowance), stop);
            });
    }

    private Command Fuzz()
    {
        const string Description = """
            Valid inputs of every parser and listener, changed at random: none may end a program, hang, be an error in its log, keep memory or descriptors,
            or keep an honest peer from being served. Each follows from the seed and its number alone. Fails if a goal is missed.
            """;
        return Runnable(
            Flags("fuzz", Description).Inputs(),
            (options, stop) => new FuzzRun(options.ProgramFolder, options.Seed, options.From, options.Inputs, _tree.Output, _tree.Error)
                .RunAsync(options.Target, stop));
    }

    private Task RunAsync(
        BenchOptions options, IEnumerable<ListedScenario> scenarios, TimeSpan length, TimeSpan limit, CancellationToken cancellationToken)
    {
        var logs = string.IsNullOrEmpty(options.Logs) ? null : Directory.CreateDirectory(options.Logs).FullName;
        var figures = Figures(options.MutualTls);
        var setup = new ClusterSetup(options.ProgramFolder, options.MutualTls) { LogFolder = logs };
        int? agents = options.Agents > 0 ? options.Agents : null;
        var context = new ScenarioContext(setup, agents, length, options.Rate, Random.Shared, figures.NoteAsync)
        {
            OpenFiles = [.. options.OpenFiles],
        };
        return new ChaosRun(context, limit, figures).RunAsync(scenarios, options.Seed, options.Runs, cancellationToken);
    }

    private FigureWriter Figures(bool tls) => new(_tree.Output, _tree.Error, tls);

    private Measurements Measurements(BenchOptions options, bool? tls = null) =>
        new(options.ProgramFolder, tls ?? options.MutualTls, _tree.Output, _tree.Error);

    private BenchFlags Flags(string name, string description, Func<BenchOptions>? newOptions = null) =>
        new BenchFlags($"whip-bench {name}", description, newOptions ?? (static () => new BenchOptions())).Under(_shared);

    private static BenchFlags Counted(BenchFlags flags) => flags.Seconds("How long each figure is counted, after its warm-up.").Tls();

    private Command Runnable(BenchFlags flags, Func<BenchOptions, CancellationToken, Task> run) =>
        _tree.Command<BenchOptions>(flags, (options, interrupt) => ReportAsync(flags.Name.Split(' ')[^1], () => run(options, interrupt), interrupt));

    private async Task<int> ReportAsync(string name, Func<Task> run, CancellationToken interrupt)
    {
        try
        {
            await run();
            return 0;
        }
        catch (Exception failure) when (failure is PartFailedException or GoalMissedException)
        {
            await _tree.Error.WriteLineAsync($"{name}: failed: {failure.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            await _tree.Error.WriteLineAsync(interrupt.IsCancellationRequested ? $"{name}: interrupted" : $"{name}: failed: not done in time");
            return interrupt.IsCancellationRequested ? Interrupted : 1;
        }
    }
}
