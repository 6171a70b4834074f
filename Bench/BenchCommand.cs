using System.CommandLine;
using System.CommandLine.Invocation;
using Whip.Bench.Demo;
using Whip.Bench.Measuring;
using Whip.Bench.Registry;
using Whip.Bench.Scenarios;

namespace Whip.Bench;

/// <summary>The <c>whip-bench</c> command: its subcommands, and how its errors end.</summary>
internal sealed class BenchCommand
{
    // What a shell reports for a program that Ctrl-C ended.
    private const int Interrupted = 130;

    // Two minutes of trouble, and the start.
    private static readonly TimeSpan ScenarioLimit = TimeSpan.FromMinutes(2.5);

    // For each agent that the user asks for: six handshakes, at both ends.
    private static readonly TimeSpan AgentAllowance = TimeSpan.FromMilliseconds(30);

    // For the start, and until all is quiet.
    private static readonly TimeSpan SoakAllowance = TimeSpan.FromMinutes(4);

    private static readonly int[] Concurrencies = [1, 32];
    private static readonly int[] StreamCounts = [1, 8];
    private static readonly int[] Slope = [200, 1000];

    private readonly TextWriter _output;
    private readonly TextWriter _error;

    private readonly Option<string> _programs = new("--programs")
    {
        Description = "The folder of whip-broker, whip-agent, whip-proxy and whip, such as another build's",
        DefaultValueFactory = _ => AppContext.BaseDirectory,
        Recursive = true,
    };

    private readonly Option<bool> _tls = new("--tls") { Description = "Mutual TLS, or with --tls=false plain", DefaultValueFactory = _ => true };

    private readonly Option<double> _seconds = BenchOptions.Seconds("How long each figure is counted, after its warm-up", 10);

    private readonly Option<int> _seed =
        BenchOptions.Number("--seed", "Of all choices of the first run", Random.Shared.Next(1_000_000), 0, int.MaxValue - 1000);

    private readonly Option<int> _agents = BenchOptions.Number("--agents", "How many agents; 0 is the scenario's own number", 0, 0, 10_000);

    private readonly Option<int> _rate = BenchOptions.Number("--rate", "Dials per second, begun on time however the last ones fare", 100, 1, 1000);

    private readonly Option<string?> _logs = new("--logs") { Description = "A folder that gets the brokers' whole logs" };

    private BenchCommand(TextWriter output, TextWriter error) => (_output, _error) = (output, error);

    /// <summary>Runs one command line and returns the exit code: 0, 1 when something failed, 2 for a bad command line, 130 when interrupted.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken interrupt)
    {
        var parsed = new BenchCommand(output, error).Tree().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction)
        {
            await error.WriteLineAsync($"whip-bench: {parsed.Errors[0].Message.TrimEnd('.')}; see whip-bench --help");
            return 2;
        }

        var terminal = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        return await parsed.InvokeAsync(terminal, interrupt);
    }

    private RootCommand Tree() => new("Shows Whip at work on this machine, and measures it: one line of JSON for each figure.")
    {
        _programs,
        Runnable(
            new("demo", "Starts a broker, two agents and a proxy, all mutual TLS, dials in every way, and ends everything."),
            (parsed, stop) => BrokerDemo.DemoAsync(ProgramFolder(parsed), _output, stop)),
        Runnable(
            new("up", "Does the same, prints what to try, and stays until Ctrl-C."),
            (parsed, stop) => BrokerDemo.UpAsync(ProgramFolder(parsed), _output, stop)),
        Runnable(
            new("up-cluster", "Starts a PostgreSQL, three brokers, four agents in two domains and a proxy, prints what to try, and stays until Ctrl-C."),
            (parsed, stop) => new ClusterDemo(ProgramFolder(parsed), _output).UpAsync(stop)),
        Dials(),
        Relay(),
        Memory(),
        Registry(),
        Grains(),
        Chaos(),
        Soak(),
        Runnable(
            new("all", "Every figure, plain and mutual TLS, in less than three minutes."),
            async (parsed, stop) =>
            {
                await Measurements(parsed, tls: true).AllAsync(stop);
                await Measurements(parsed, tls: false).AllAsync(stop);
            }),
    };

    private Command Dials()
    {
        const string Description = """
            Dials per second, the time of one, and its processor time at the broker and the agent.
            A dial counts when a service that checks what it reads has answered through it. The generator sends its own CONNECT over bare legs.
            """;
        var concurrency = BenchOptions.Sizes("--concurrency", "How many dials are under way at a time; figures for each", Concurrencies);
        return Runnable(
            new("dials", Description) { concurrency, _seconds, _tls },
            (parsed, stop) => Measurements(parsed).DialsAsync(Sizes(parsed, concurrency, Concurrencies), Seconds(parsed, _seconds), stop));
    }

    private Command Relay()
    {
        var streams = BenchOptions.Sizes("--streams", "How many streams carry bytes at a time; figures for each", StreamCounts);
        return Runnable(
            new("relay", "Bytes per second each way, every byte compared, and their processor time at the broker and the agent.") { streams, _seconds, _tls },
            (parsed, stop) => Measurements(parsed).RelaysAsync(Sizes(parsed, streams, StreamCounts), Seconds(parsed, _seconds), stop));
    }

    private Command Memory()
    {
        const string Description = """
            KiB of a program, just started, and per idle agent and relay: the slope of its resident set size between two numbers of them.
            For the slopes the programs collect their garbage after every MiB.
            """;
        var agents = BenchOptions.Sizes("--agents", "Two numbers of idle agents, between which the slope is taken", Slope, isSlope: true);
        var relays = BenchOptions.Sizes("--relays", "Two numbers of idle relays, between which the slope is taken", Slope, isSlope: true);
        return Runnable(
            new("memory", Description) { agents, relays, _tls },
            (parsed, stop) => Measurements(parsed).MemoryAsync(Sizes(parsed, agents, Slope), Sizes(parsed, relays, Slope), stop));
    }

    private Command Registry()
    {
        var streams = BenchOptions.Number("--streams", "How many streams, over three brokers", 1_000_000, 30_000, 10_000_000);
        return Runnable(
            new("registry", "Bytes of a stream at its holder, without its connection, and the time to find one there; in this process.") { streams },
            (parsed, stop) => RegistryMeasurement.RunAsync(parsed.GetRequiredValue(streams), Figures(tls: false), stop));
    }

    private Command Grains()
    {
        const string Description = """
            KiB of a client in a cluster of three silos, registrations per second until each client has its grain, and the time to find one:
            through its grain, remembered, and to learn from 3 and 10 silos that nobody has it; all in this process.
            """;
        var clients = BenchOptions.Number("--clients", "How many clients, over three silos", 100_000, 1_000, 1_000_000);
        return Runnable(
            new("grains", Description) { clients },
            (parsed, stop) => GrainMeasurement.RunAsync(parsed.GetRequiredValue(clients), Figures(tls: false), stop));
    }

    private Command Chaos()
    {
        const string Description = """
            What crashes, restarts and outages do to dials: a cluster of three brokers for each run of a scenario, at most two minutes each,
            and half a minute more for a thousand of --agents. Fails if a goal is missed.
            """;
        var scenario = BenchOptions.Scenario();
        var runs = BenchOptions.Number("--runs", "How often each scenario is run, each time with the next seed", 1, 1, 1000);
        var seconds = BenchOptions.Seconds("How long the trouble of a scenario lasts, where it does not end by itself", 30);
        return Runnable(
            new("chaos", Description) { scenario, runs, _seed, _agents, _rate, seconds, _tls, _logs },
            (parsed, stop) =>
            {
                var name = parsed.GetRequiredValue(scenario);
                var limit = ScenarioLimit + (parsed.GetRequiredValue(_agents) * AgentAllowance);
                var length = Seconds(parsed, seconds);
                limit += name is "all" or DescriptorScenario.Name ? DescriptorScenario.LimitFor(length) : TimeSpan.Zero;
                var chosen = ScenarioList.All.Where(s => name is "all" || s.Name == name);
                return RunAsync(parsed, chosen, parsed.GetRequiredValue(runs), length, limit, stop);
            });
    }

    private Command Soak()
    {
        var length = BenchOptions.For(TimeSpan.FromMinutes(10));
        var saturated = new Option<bool>("--saturated") { Description = "Every core is kept busy meanwhile" };
        return Runnable(
            new("soak", "Dials, crashes and agents that come and go, for long: what is left of it. Fails if a goal is missed.")
            {
                length, saturated, _seed, _agents, _rate, _tls, _logs,
            },
            (parsed, stop) =>
            {
                Scenario soak = (context, cancellationToken) => SoakScenario.RunAsync(context, parsed.GetValue(saturated), cancellationToken);
                return RunAsync(parsed, [("soak", soak)], runs: 1, parsed.GetValue(length), parsed.GetValue(length) + SoakAllowance, stop);
            });
    }

    private Task RunAsync(
        ParseResult parsed, IEnumerable<(string Name, Scenario Run)> scenarios, int runs, TimeSpan length, TimeSpan limit, CancellationToken cancellationToken)
    {
        var logs = parsed.GetValue(_logs);
        if (logs is not null)
        {
            Directory.CreateDirectory(logs);
        }

        var tls = parsed.GetRequiredValue(_tls);
        var figures = Figures(tls);
        var setup = new ClusterSetup(ProgramFolder(parsed), tls) { LogFolder = logs };
        int? agents = parsed.GetRequiredValue(_agents) is > 0 and var count ? count : null;
        var context = new ScenarioContext(setup, agents, length, parsed.GetRequiredValue(_rate), Random.Shared, figures.NoteAsync);
        return new ChaosRun(context, limit, figures).RunAsync(scenarios, parsed.GetRequiredValue(_seed), runs, cancellationToken);
    }

    private static TimeSpan Seconds(ParseResult parsed, Option<double> option) => TimeSpan.FromSeconds(parsed.GetRequiredValue(option));

    private static int[] Sizes(ParseResult parsed, Option<int[]> option, int[] defaults) =>
        parsed.GetValue(option) is { Length: > 0 } given ? given : defaults;

    private string ProgramFolder(ParseResult parsed) => Path.GetFullPath(parsed.GetRequiredValue(_programs));

    private FigureWriter Figures(bool tls) => new(_output, _error, tls);

    private Measurements Measurements(ParseResult parsed, bool? tls = null) =>
        new(ProgramFolder(parsed), tls ?? parsed.GetRequiredValue(_tls), _output, _error);

    private Command Runnable(Command command, Func<ParseResult, CancellationToken, Task> run)
    {
        command.SetAction((parsed, interrupt) => ReportAsync(command.Name, () => run(parsed, interrupt), interrupt));
        return command;
    }

    private async Task<int> ReportAsync(string name, Func<Task> run, CancellationToken interrupt)
    {
        try
        {
            await run();
            return 0;
        }
        catch (Exception failure) when (failure is PartFailedException or GoalMissedException)
        {
            await _error.WriteLineAsync($"{name}: failed: {failure.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            await _error.WriteLineAsync(interrupt.IsCancellationRequested ? $"{name}: interrupted" : $"{name}: failed: not done in time");
            return interrupt.IsCancellationRequested ? Interrupted : 1;
        }
    }
}
