using System.CommandLine;
using System.CommandLine.Invocation;
using Whip.Bench.Cluster;
using Whip.Bench.Demo;
using Whip.Bench.Measuring;
using Whip.Bench.Registry;
using Whip.Harness.Programs;

namespace Whip.Bench;

/// <summary>The <c>whip-bench</c> command: its tree, and how its errors end.</summary>
internal sealed class BenchCommand
{
    // What a shell reports for a program that Ctrl-C ended.
    private const int Interrupted = 130;

    // Two minutes of trouble, and the start.
    private static readonly TimeSpan ScenarioLimit = TimeSpan.FromMinutes(2.5);

    // 30 ms for each agent that is asked for beside: six handshakes, on both ends.
    private static readonly TimeSpan AgentAllowance = TimeSpan.FromMilliseconds(30);

    // For the start, and until all is quiet.
    private static readonly TimeSpan SoakGrace = TimeSpan.FromMinutes(4);

    private readonly BenchOptions _options = new();
    private readonly TextWriter _output;
    private readonly TextWriter _error;

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
        _options.Programs,
        Runnable(
            new("demo", "Starts a broker, two agents and a proxy, all mutual TLS, dials in every way, and ends everything."),
            (parsed, stop) => DemoRun.DemoAsync(_options.ProgramFolder(parsed), _output, stop)),
        Runnable(
            new("up", "Does the same, tells what to try, and stays until Ctrl-C."),
            (parsed, stop) => DemoRun.UpAsync(_options.ProgramFolder(parsed), _output, stop)),
        UpCluster(),
        Runnable(
            new("dials", "Dials per second, the time of one, and its processor time at the broker and the agent.\n"
                + "A dial counts when a service that checks what it reads has answered through it. The generator sends its own CONNECT over bare legs.")
            {
                _options.Concurrency, _options.Seconds, _options.Tls,
            },
            (parsed, stop) => Measurements(parsed).DialsAsync(_options.Concurrency.Of(parsed), _options.Length(parsed), stop)),
        Runnable(
            new("relay", "Bytes per second each way, every byte compared, and their processor time at the broker and the agent.")
            {
                _options.Streams, _options.Seconds, _options.Tls,
            },
            (parsed, stop) => Measurements(parsed).RelaysAsync(_options.Streams.Of(parsed), _options.Length(parsed), stop)),
        Runnable(
            new("memory", "KiB of a program, just started, and per idle agent and relay: the slope of its resident set size between two numbers of them.\n"
                + "For the slopes the programs collect their garbage after every MiB.")
            {
                _options.Agents, _options.Relays, _options.Tls,
            },
            (parsed, stop) => Measurements(parsed).MemoryAsync(_options.Agents.Of(parsed), _options.Relays.Of(parsed), stop)),
        Runnable(
            new("registry", "Bytes of a stream at its holder, without its connection, and the time to find one there; in this process.")
            {
                _options.StreamCount,
            },
            (parsed, stop) => RegistryMeasurement.RunAsync(parsed.GetRequiredValue(_options.StreamCount), new FigureWriter(_output, _error, tls: false), stop)),
        Runnable(
            new("grains", "KiB of a client in a cluster of three silos, registrations per second until each client has its grain, and the time to find one:\n"
                + "through its grain, remembered, and to learn from 3 and 10 silos that nobody has it; all in this process.")
            {
                _options.ClientCount,
            },
            (parsed, stop) => GrainMeasurement.RunAsync(parsed.GetRequiredValue(_options.ClientCount), new FigureWriter(_output, _error, tls: false), stop)),
        Chaos(),
        Soak(),
        Runnable(
            new("all", "Every figure, plain and mutual TLS, in less than three minutes."),
            async (parsed, stop) =>
            {
                await new Measurements(_options.ProgramFolder(parsed), tls: true, _output, _error).AllAsync(stop);
                await new Measurements(_options.ProgramFolder(parsed), tls: false, _output, _error).AllAsync(stop);
            }),
    };

    private Command UpCluster() => Runnable(
        new("up-cluster", "Starts a PostgreSQL, three brokers, four agents in two domains and a proxy, tells what to try, and stays until Ctrl-C."),
        (parsed, stop) => new ClusterDemo(_options.ProgramFolder(parsed), _output).UpAsync(stop));

    private Command Chaos() => Runnable(
        new("chaos", "What crashes, restarts and outages do to dials: a cluster of three brokers for each run of a scenario, at most two minutes each,\n"
            + "and half a minute more for a thousand of --agents. Fails if a goal is missed.")
        {
            _options.Scenario, _options.Runs, _options.Seed, _options.AgentCount, _options.Rate, _options.Trouble, _options.Tls, _options.Logs,
        },
        (parsed, stop) =>
        {
            var options = _options.Chaos(parsed, parsed.GetRequiredValue(_options.Runs), TimeSpan.FromSeconds(parsed.GetRequiredValue(_options.Trouble)));
            return new ChaosRun(options, ScenarioLimit + ((options.Agents ?? 0) * AgentAllowance), _output, _error).RunAsync(_options.Scenarios(parsed), stop);
        });

    private Command Soak() => Runnable(
        new("soak", "Dials, crashes and agents that come and go, for long: what is left of it. Fails if a goal is missed.")
        {
            _options.For, _options.Saturated, _options.Seed, _options.AgentCount, _options.Rate, _options.Tls, _options.Logs,
        },
        (parsed, stop) =>
        {
            var options = _options.Chaos(parsed, runs: 1, parsed.GetValue(_options.For));
            return new ChaosRun(options, options.Length + SoakGrace, _output, _error).RunAsync([("soak", new SoakScenario(parsed.GetValue(_options.Saturated)))], stop);
        });

    private Measurements Measurements(ParseResult parsed) => new(_options.ProgramFolder(parsed), parsed.GetRequiredValue(_options.Tls), _output, _error);

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
        catch (PartFailedException failure)
        {
            await _error.WriteLineAsync($"{name}: failed: {failure.Message}");
            return 1;
        }
        catch (GoalMissedException failure)
        {
            await _error.WriteLineAsync($"{name}: failed: {failure.Message}");
            foreach (var line in failure.Missed)
            {
                await _error.WriteLineAsync($"  {line}");
            }

            return 1;
        }
        catch (OperationCanceledException)
        {
            await _error.WriteLineAsync(interrupt.IsCancellationRequested ? $"{name}: interrupted" : $"{name}: failed: not done in time");
            return interrupt.IsCancellationRequested ? Interrupted : 1;
        }
    }
}
