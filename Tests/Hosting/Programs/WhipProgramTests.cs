using System.Net;
using System.Net.Sockets;
using Whip.Hosting.Programs;
using Whip.Protocol.Options;
using Whip.Tests.Hosting.Flags;

namespace Whip.Tests.Hosting.Programs;

public sealed class WhipProgramTests
{
    private static readonly string[] Quiet = ["--log-level", "fatal"];

    private readonly FakeTerminal _terminal = new();

    [Fact]
    public async Task The_ready_line_is_all_it_prints_and_a_signal_ends_it_with_0()
    {
        var program = new FakeProgram();
        var run = RunAsync(program, [.. Quiet, "--metrics-listen", "127.0.0.1:0"]);
        Assert.Matches(@"^ready grpc=127\.0\.0\.1:50051 tcp=\[::\]:8000 metrics=127\.0\.0\.1:\d+\n$", await _terminal.Ready.WaitAsync(Patience.Long));
        _terminal.Signal();
        Assert.Equal(0, await run.WaitAsync(Patience.Long));
        Assert.Equal(await _terminal.Ready, _terminal.Output);
        Assert.Equal("", _terminal.Error);
        Assert.True(program.Disposed);
        Assert.False(_terminal.Subscribed);
    }

    [Fact]
    public async Task Readyz_turns_503_while_it_drains_and_healthz_stays_200()
    {
        var stopping = new TaskCompletionSource();
        var stop = new TaskCompletionSource();
        var program = new FakeProgram { OnStop = _ => { stopping.SetResult(); return stop.Task; } };
        var run = RunAsync(program, [.. Quiet, "--metrics-listen", "127.0.0.1:0"]);
        var address = (await _terminal.Ready.WaitAsync(Patience.Long)).Trim().Split("metrics=")[1];
        using var http = new HttpClient { BaseAddress = new Uri($"http://{address}") };
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, "/readyz"));

        program.IsReady = false;
        _terminal.Signal();
        await stopping.Task.WaitAsync(Patience.Long);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(http, "/readyz"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, "/healthz"));
        stop.SetResult();
        Assert.Equal(0, await run.WaitAsync(Patience.Long));
    }

    [Fact]
    public async Task A_second_signal_stops_at_once_and_is_told()
    {
        var stopping = new TaskCompletionSource();
        var program = new FakeProgram
        {
            OnStop = _ =>
            {
                stopping.SetResult();
                return new TaskCompletionSource().Task;
            },
        };
        var run = RunAsync(program, Quiet);
        await _terminal.Ready.WaitAsync(Patience.Long);
        _terminal.Signal();
        await stopping.Task.WaitAsync(Patience.Long);
        _terminal.Signal();
        Assert.Equal(1, await run.WaitAsync(Patience.Long));
        Assert.Equal("whip-x: a second signal stopped it at once\n", _terminal.Error);
        Assert.True(program.Disposed);
    }

    [Fact]
    public async Task A_signal_before_it_is_ready_ends_it_with_0()
    {
        var starting = new TaskCompletionSource();
        var program = new FakeProgram
        {
            OnStart = token =>
            {
                starting.SetResult();
                return Task.Delay(Timeout.Infinite, token);
            },
        };
        var run = RunAsync(program, Quiet);
        await starting.Task.WaitAsync(Patience.Long);
        _terminal.Signal();
        Assert.Equal(0, await run.WaitAsync(Patience.Long));
        Assert.Equal("", _terminal.Output);
        Assert.True(program.Disposed);
    }

    [Fact]
    public async Task A_signal_while_it_reads_its_flags_ends_it_with_0()
    {
        var program = new FakeProgram { OnStart = token => Task.Delay(Timeout.Infinite, token) };
        var signals = 0;
        var terminal = _terminal.Terminal with
        {
            Variable = _ =>
            {
                if (signals++ == 0)
                {
                    _terminal.Signal();
                }

                return null;
            },
        };
        string[] args = [.. Quiet, "--metrics-listen", "127.0.0.1:0"];
        Assert.Equal(0, await WhipProgram.RunAsync<TestOptions>(new TestFlags(), args, (_, _) => program, terminal).WaitAsync(Patience.Long));
        Assert.Equal(("", ""), (_terminal.Output, _terminal.Error));
        Assert.True(program.Disposed);
    }

    [Fact]
    public async Task A_wrong_flag_ends_it_with_2_and_one_line()
    {
        Assert.Equal(2, await RunAsync(new FakeProgram(), ["--log-level", "loud"]).WaitAsync(Patience.Long));
        Assert.Equal("whip-x: --log-level \"loud\": not one of the choices; try trace, debug, info, warn, error, fatal\n", _terminal.Error);
        Assert.Equal("", _terminal.Output);
    }

    [Fact]
    public async Task A_certificate_that_cannot_be_used_ends_it_with_2_and_one_line()
    {
        var program = new FakeProgram { OnStart = _ => throw new WhipOptionException("Tls.CertPath", "x\n.pem", "no such file", "whip pki") };
        Assert.Equal(2, await RunAsync(program, Quiet).WaitAsync(Patience.Long));
        Assert.Equal("whip-x: --tls-cert-path \"x?.pem\": no such file; try whip pki\n", _terminal.Error);
        Assert.True(program.Disposed);
    }

    [Fact]
    public async Task A_taken_metrics_address_ends_it_with_2_and_one_line()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        Assert.Equal(2, await RunAsync(new FakeProgram(), [.. Quiet, "--metrics-listen", $"{taken.LocalEndpoint}"]).WaitAsync(Patience.Long));
        Assert.Equal(
            $"whip-x: --metrics-listen \"{taken.LocalEndpoint}\": the address is in use; try another port, or port 0 for any free one\n", _terminal.Error);
        Assert.Equal("", _terminal.Output);
    }

    [Fact]
    public async Task A_crash_ends_it_with_1()
    {
        var program = new FakeProgram { OnStart = _ => throw new InvalidOperationException("bug") };
        Assert.Equal(1, await RunAsync(program, [.. Quiet, "--metrics-listen", "127.0.0.1:0"]).WaitAsync(Patience.Long));
        Assert.Equal("", _terminal.Output);
        Assert.True(program.Disposed);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    public async Task Help_and_version_start_nothing(string flag)
    {
        Assert.Equal(0, await RunAsync(null, [flag]).WaitAsync(Patience.Long));
        Assert.StartsWith("whip-x", _terminal.Output);
        Assert.Equal("", _terminal.Error);
    }

    private Task<int> RunAsync(FakeProgram? program, string[] args) => WhipProgram.RunAsync<TestOptions>(
        new TestFlags(), args, (_, _) => program ?? throw new InvalidOperationException("started"), _terminal.Terminal);

    private static async Task<HttpStatusCode> StatusAsync(HttpClient http, string path)
    {
        using var response = await http.GetAsync(new Uri(path, UriKind.Relative)).WaitAsync(Patience.Long);
        return response.StatusCode;
    }
}
