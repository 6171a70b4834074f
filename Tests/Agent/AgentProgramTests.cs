using Whip.Agent;
using Whip.Hosting.Programs;

namespace Whip.Tests.Agent;

public sealed class AgentProgramTests
{
    public static TheoryData<string, string> Wrong => new()
    {
        { "--ports 80 --tls=false :50051", "whip-agent: --domain: required; try testdom" },
        { "--domain testdom --tls=false :50051", "whip-agent: --ports: required; try 5051" },
        { "--domain testdom --ports 80 --tls=false", "whip-agent: HOST:PORT: required; try 127.0.0.1:50051" },
        { "--domain testdom --ports 0 --tls=false :50051", "whip-agent: --ports \"0\": not a number in range; try a number from 1 to 65535" },
        { "--domain testdom --ports 80=[::1]:x --tls=false :50051", "whip-agent: --ports \"80=[::1]:x\": what follows the = is neither a port," },
        { "--domain testdom --ports 80=1,80=2 --tls=false :50051", "whip-agent: --ports \"80=2\": port 80 has another target already" },
        { "--domain testdom --ports 80 --hostname a.b --tls=false :50051", "whip-agent: --hostname \"a.b\": not a DNS label; try instance1" },
        { "--domain testdom --ports 80 --homes none --tls=false :50051", "whip-agent: --homes \"none\": neither a number nor all; try 2 or all" },
        { "--domain testdom --ports 80 --target-host a/b --tls=false :50051", "whip-agent: --target-host \"a/b\": not a host name or address; try 127.0.0.1" },
        { "--domain testdom --ports 80 :50051", "whip-agent: --tls-cert-path" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task What_cannot_work_ends_with_code_2_and_a_line_that_names_flag_and_value(string arguments, string line)
    {
        var (code, _, error) = await RunAsync(arguments);
        Assert.Equal(2, code);
        Assert.StartsWith(line, error.Trim().Split('\n')[^1]);
    }

    [Fact]
    public async Task A_program_without_a_reachable_broker_serves_until_it_is_told_to_stop()
    {
        var (code, output, _) = await RunAsync("--hostname a --domain testdom --ports 80,81 --homes all --tls=false :1", stopAtOnce: true);
        Assert.Equal(0, code);
        Assert.Equal("ready", output.Trim());
    }

    [Fact]
    public async Task Its_log_says_what_it_serves_though_it_listens_nowhere()
    {
        await using var agent = await WhipProcess.StartReadyAsync(
            "whip-agent", "--tls=false", "--hostname=a", "--domain=testdom", "--ports=80,81=10.0.0.7:8443,82=unix:/run/app.sock", "127.0.0.1:1");
        Assert.EndsWith(" Serving: name=a.testdom ports=80=127.0.0.1:80,81=10.0.0.7:8443,82=unix:/run/app.sock", await agent.ErrorLineAsync("Serving: "));
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string arguments, bool stopAtOnce = false)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        var stop = new TaskCompletionSource<Action>();
        var terminal = new ProgramTerminal(TextWriter.Synchronized(output), TextWriter.Synchronized(error), _ => null, signal =>
        {
            stop.SetResult(signal);
            return TextWriter.Null;
        });
        var running = WhipProgram.RunAsync<WhipAgentOptions>(
            new AgentFlags(),
            arguments.Split(' '),
            (options, context) => new WhipAgent(options, WhipAgent.NewOpenings(context.Time), context.LoggerFactory, context.Metrics, context.Time),
            terminal);
        if (stopAtOnce)
        {
            await Patience.UntilAsync(() => output.ToString().Length > 0, "the ready line");
            (await stop.Task)();
        }

        return (await running.WaitAsync(Patience.Long), output.ToString(), error.ToString());
    }
}
