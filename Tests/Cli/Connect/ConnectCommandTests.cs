using System.Diagnostics;
using System.Text;

namespace Whip.Tests.Cli.Connect;

public sealed class ConnectCommandTests
{
    [Theory, PlainAndTls]
    public async Task The_end_of_input_half_closes_and_the_answer_still_comes(bool tls)
    {
        await using var front = new FakeDialFront(tls, async connection =>
        {
            await connection.EstablishAsync();
            using var all = new MemoryStream();
            await connection.Stream.CopyToAsync(all);
            await connection.Stream.WriteAsync(all.ToArray());
            await connection.EndAsync();
        });
        using var whip = new ConnectProcess(tls, front.Authority);
        var sent = new byte[1_000_000];
        Random.Shared.NextBytes(sent);
        await whip.Input.WriteAsync(sent);
        whip.Input.Close();
        Assert.Equal(sent, await whip.Output.ReadToEndAsync());
        Assert.Equal((0, ""), await whip.WaitForExitAsync());
    }

    [Theory, PlainAndTls]
    public async Task Each_byte_passes_at_once_and_the_end_of_the_service_ends_the_program(bool tls)
    {
        await using var front = new FakeDialFront(tls, async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(FakeDialConnection.Established + "SSH-2.0-x");
            var one = new byte[1];
            await connection.Stream.ReadExactlyAsync(one);
            await connection.Stream.WriteAsync(one);
            await connection.EndAsync();
            await connection.WaitForEndAsync();
        });
        using var whip = new ConnectProcess(tls, front.Authority);
        Assert.Equal("SSH-2.0-x", Encoding.ASCII.GetString(await whip.Output.ReadExactlyAsync(9)));
        await whip.Input.WriteAsync("?"u8.ToArray());
        await whip.Input.FlushAsync();
        Assert.Equal("?", Encoding.ASCII.GetString(await whip.Output.ReadToEndAsync()));
        Assert.Equal((0, ""), await whip.WaitForExitAsync());
    }

    [Theory, PlainAndTls]
    public async Task A_reset_is_one_line_and_exit_code_1(bool tls)
    {
        var received = new TaskCompletionSource();
        await using var front = new FakeDialFront(tls, async connection =>
        {
            await connection.EstablishAsync();
            await connection.WriteAsync("partial");
            await received.Task;
            connection.Reset();
        });
        using var whip = new ConnectProcess(tls, front.Authority);
        Assert.Equal("partial", Encoding.ASCII.GetString(await whip.Output.ReadExactlyAsync(7)));
        received.SetResult();
        var (exitCode, error) = await whip.WaitForExitAsync();
        Assert.Equal(1, exitCode);
        Assert.Matches("^whip: web.testdom:22: the connection broke: [^\n]+\n$", error);
    }

    [Fact]
    public async Task A_dial_that_fails_is_its_outcome_in_one_line_and_exit_code_1()
    {
        await using var front = new FakeDialFront(false, async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(
                "HTTP/1.1 403 Forbidden\r\nWhip-Outcome: port-not-published\r\nContent-Length: 30\r\n\r\nweb.testdom publishes 80 only\n");
        });
        using var whip = new ConnectProcess(false, front.Authority);
        Assert.Equal((1, "whip: dial web.testdom:22: port-not-published: web.testdom publishes 80 only\n"), await whip.WaitForExitAsync());
        Assert.Empty(await whip.Output.ReadToEndAsync());
    }

    [Fact]
    public async Task A_reader_that_went_away_ends_the_program_and_resets_the_dial()
    {
        var gone = new TaskCompletionSource();
        var reset = new TaskCompletionSource<bool>();
        await using var front = new FakeDialFront(false, async connection =>
        {
            await connection.EstablishAsync();
            await gone.Task;
            await connection.WriteAsync("nobody reads this");
            reset.SetResult(!await connection.WaitForEndAsync());
        });
        using var whip = new ConnectProcess(false, front.Authority);
        whip.Output.Close();
        gone.SetResult();
        var (exitCode, error) = await whip.WaitForExitAsync();
        Assert.Equal(1, exitCode);
        Assert.StartsWith("whip: web.testdom:22: standard output: Broken pipe", error);
        Assert.True(await reset.Task.WaitAsync(Patience.Long));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_signal_resets_the_dial_before_and_after_it_stands(bool established)
    {
        var asked = new TaskCompletionSource();
        var reset = new TaskCompletionSource<bool>();
        await using var front = new FakeDialFront(false, async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(established ? FakeDialConnection.Established + "x" : "");
            asked.SetResult();
            reset.SetResult(!await connection.WaitForEndAsync());
        });
        using var whip = new ConnectProcess(false, front.Authority);
        await asked.Task.WaitAsync(Patience.Long);
        if (established)
        {
            await whip.Output.ReadExactlyAsync(1);
        }

        using var kill = Process.Start("kill", ["-TERM", $"{whip.Id}"]);
        Assert.True(await reset.Task.WaitAsync(Patience.Long));
        Assert.Equal((130, ""), await whip.WaitForExitAsync());
    }

    [Fact]
    public async Task A_signal_ends_the_program_though_nobody_reads_its_output()
    {
        var reset = new TaskCompletionSource();
        await using var front = new FakeDialFront(false, async connection =>
        {
            await connection.EstablishAsync();

            // More than the system buffers.
            await Assert.ThrowsAsync<IOException>(() => connection.Stream.WriteAsync(new byte[64 << 20]).AsTask());
            reset.SetResult();
        });
        using var whip = new ConnectProcess(false, front.Authority);
        await whip.Output.ReadExactlyAsync(1);

        using var kill = Process.Start("kill", ["-TERM", $"{whip.Id}"]);
        Assert.Equal((130, ""), await whip.WaitForExitAsync());
        await reset.Task.WaitAsync(Patience.Long);
    }

    [Theory]
    [InlineData("target: \"web.testdom\" is not host:port with a port of 1 to 65535; try instance1.testdom:22", "web.testdom", "--broker", "b:1")]
    [InlineData("target: \"web.testdom:0\" is not host:port with a port of 1 to 65535; try instance1.testdom:22", "web.testdom:0", "--broker", "b:1")]
    [InlineData("--broker \"\": not a HOST:PORT; try broker1.example:8010", "web.testdom:1")]
    [InlineData("--broker \"b\": not a HOST:PORT; try broker1.example:8010", "web.testdom:1", "--broker", "a:1,b")]
    [InlineData("--wait \"5\": not a duration; try a number and a unit, such as 250ms, 5s, 1m30s or 720h", "web.testdom:1", "--broker", "b:1", "--wait", "5")]
    [InlineData("--wait \"61s\": too long; try at most 1m", "web.testdom:1", "--broker", "b:1", "--wait", "61s")]
    [InlineData("target: \"a..b\" is not a DNS name; try instance1.testdom:22", "a..b:5", "--broker", "b:1")]
    [InlineData("--tls-cert-path \"\": is required with TLS; try --tls-cert-path FILE, or --tls=false", "web.testdom:1", "--broker", "b:1")]
    public async Task A_flag_that_is_no_use_is_exit_code_2(string error, params string[] args)
    {
        var run = await WhipRun.RunAsync(["connect", .. args]);
        Assert.Equal((2, $"whip: {error}\n"), (run.ExitCode, run.Error));
    }
}
