using System.Net.Sockets;
using System.Text.RegularExpressions;
using Whip.Bench.Demo;

namespace Whip.Tests.Bench;

/// <summary><c>make demo</c> and <c>make up</c>, as processes with real programs.</summary>
public sealed class DemoTests
{
    [Fact]
    public async Task Demo_reaches_both_instances_in_every_way_and_leaves_nothing_behind()
    {
        await using var demo = new BenchProcess("demo");
        var (exitCode, error) = await demo.EndAsync();
        Assert.True(exitCode == 0, error);
        Assert.Empty(error);
        Assert.Matches(@"^demo: ok in \d+\.\d s$", demo.Output[^1]);
        const string Both = @"^library +http://testdom:\d+/ says ""Hello from instance1\.testdom"" \d+ times and ""Hello from instance2\.testdom"" \d+ times$";
        Assert.Single(demo.Output, line => Regex.IsMatch(line, Both));
        string[] ways = ["library", ".*CONNECT", "proxy"];
        foreach (var (way, instance) in ways.SelectMany(way => new[] { (way, "instance1"), (way, "instance2") }))
        {
            Assert.Single(demo.Output, line => Regex.IsMatch(line, $@"^{way} +http://{instance}\.testdom:\d+/ says ""Hello from {instance}\.testdom""$"));
        }
    }

    [Fact]
    public async Task A_service_of_the_demo_answers_a_client_that_has_finished_sending()
    {
        await using var services = new HttpServices(["instance1"]);
        await services.StartAsync(CancellationToken.None);
        for (var round = 0; round < 15; round++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => AskAsync()));
            Assert.All(answers, answer => Assert.EndsWith("Hello from instance1\n", answer));
        }

        async Task<string> AskAsync()
        {
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(HttpServices.Host(0), services.Port);
            using var answer = new StreamReader(new NetworkStream(client));
            await client.SendAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
            client.Shutdown(SocketShutdown.Send);
            return await answer.ReadToEndAsync().WaitAsync(Patience.Long);
        }
    }

    [Fact]
    public async Task A_missing_program_is_named()
    {
        using var programs = new ProgramFolder("whip", "whip-broker", "whip-proxy");
        await using var demo = new BenchProcess("demo", "--programs", programs.FullName);
        var (exitCode, error) = await demo.EndAsync();
        Assert.Equal(1, exitCode);
        Assert.StartsWith($"demo: failed: instance1.testdom: cannot start {programs.FullName}/whip-agent: ", error);
    }

    [Theory]
    [InlineData("exit 3")]
    [InlineData("kill -9 $$")]
    public async Task A_program_that_ends_is_named_with_its_last_20_log_lines(string end)
    {
        using var programs = new ProgramFolder("whip", "whip-broker", "whip-agent");
        programs.AddScript("whip-proxy", $"for i in $(seq 30); do echo \"line $i.\" >&2; done; echo ready proxy=127.0.0.1:1; {end}");
        await using var demo = new BenchProcess("demo", "--programs", programs.FullName);
        var (exitCode, error) = await demo.EndAsync();
        Assert.Equal(1, exitCode);
        Assert.StartsWith("demo: failed: proxy: ", error);
        Assert.Equal(Enumerable.Range(11, 20).Select(i => $"  line {i}."), error.TrimEnd('\n').Split('\n').Skip(2));
    }

    [Fact]
    public async Task Up_stays_until_a_signal_and_what_it_prints_to_try_works()
    {
        await using var up = new BenchProcess("up");
        await up.ReadToAsync("Ctrl-C ends everything");
        var toTry = up.Output.SkipWhile(line => !line.StartsWith("Everything runs", StringComparison.Ordinal));
        var commands = toTry.Where(line => Regex.IsMatch(line, @"^(curl|printf) ")).ToArray();
        Assert.Equal(5, commands.Length);
        var answers = await Task.WhenAll(commands.Select(command => ShellCommand.RunAsync("/", "/bin/sh", "-c", command)));
        Assert.All(answers, answer => Assert.True(answer.ExitCode == 0, answer.Text));
        Assert.All(answers[..4], answer => Assert.Contains("Hello from instance", answer.Text));
        Assert.Contains("whip_broker_dials_total", answers[4].Text);

        up.Terminate();
        Assert.Equal((0, ""), await up.EndAsync());
    }

    [Fact]
    public async Task Nothing_is_left_when_it_is_killed()
    {
        await using var up = new BenchProcess("up");
        await up.ReadToAsync("instance1.testdom ");
    }
}

/// <summary>A folder of the real programs, some of them left out or replaced by a script.</summary>
internal sealed class ProgramFolder : IDisposable
{
    private readonly TempFolder _folder = new();

    public ProgramFolder(params IEnumerable<string> programs)
    {
        foreach (var program in programs)
        {
            File.CreateSymbolicLink(_folder.PathOf(program), Path.Combine(AppContext.BaseDirectory, program));
        }
    }

    public string FullName => _folder.FullName;

    public void AddScript(string program, string script)
    {
        var path = _folder.Write(program, $"#!/bin/sh\n{script}\n");
        if (OperatingSystem.IsLinux())
        {
            File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.UserExecute);
        }
    }

    public void Dispose() => _folder.Dispose();
}
