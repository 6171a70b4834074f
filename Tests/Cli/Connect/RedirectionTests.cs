using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Whip.Cli.Connect;

namespace Whip.Tests.Cli.Connect;

/// <summary>What a shell's redirections do to <c>whip connect</c>: the offset of a file moves for everyone who has it.</summary>
public sealed class RedirectionTests
{
    // The service answers '+', then what it was sent.
    private const string Connect = "connect() { \"$WHIP\" connect web.testdom:22 --tls=false --broker \"$BROKER\"; }\n";

    private const string BadOutput = "whip: web.testdom:22: standard output: Bad file descriptor\n1\n";

    [Theory]
    [InlineData("an output that others write to as well", "{ echo before; echo x | connect; echo after; } > f; cat f", "before\n+x\nafter\n")]
    [InlineData("an output of several in a row", "for i in 1 2 3; do echo $i | connect; done > f; cat f", "+1\n+2\n+3\n")]
    [InlineData("an output with the errors of others", "{ echo x | connect; \"$WHIP\" no; echo end; } > f 2>&1; tail -n 1 f; head -n 1 f", "end\n+x\n")]
    [InlineData("an output that is appended to", "echo old > f; echo x | connect >> f; echo new >> f; cat f", "old\n+x\nnew\n")]
    [InlineData("an output that is opened for both", "printf abcdef > f; printf X | connect 1<> f; cat f", "+Xcdef")]
    [InlineData("an output descriptor that was copied", "exec 3> f; echo a >&3; echo x | connect >&3; echo b >&3; cat f", "a\n+x\nb\n")]
    [InlineData("an input that others read as well", "printf 'a\\nb\\nc\\n' > f; { read a; connect; echo \"[$a]\"; cat; } < f", "+b\nc\n[a]\n")]
    [InlineData("an input that is opened for both", "printf 'a\\nb\\n' > f; connect <> f; cat f", "+a\nb\na\nb\n")]
    [InlineData("files at both ends", "printf abc > f; connect < f > g; cat g", "+abc")]
    [InlineData("a text", "connect <<< x", "+x\n")]
    [InlineData("a named pipe", "mkfifo p; echo x > p & connect < p", "+x\n")]
    [InlineData("pipes", "printf x | connect | cat", "+x")]
    [InlineData("no input", "connect <&-", "+")]
    [InlineData("an empty input", "connect < /dev/null", "+")]
    [InlineData("no error output", "printf x | connect 2>&-", "+x")]
    [InlineData("no output", "printf x | connect 2>&1 >&- | cat; echo ${PIPESTATUS[1]}", BadOutput)]
    [InlineData("nothing at all", "connect <&- >&- 2>&-; echo $?", "1\n")]
    [InlineData("a full device", "printf x | connect 2>&1 > /dev/full; echo $?", "whip: web.testdom:22: standard output: No space left on device\n1\n")]
    [InlineData("a folder as input", "connect 2>&1 > /dev/null < .; echo $?", "whip: web.testdom:22: standard input: Is a directory\n1\n")]
    [InlineData("an output that is only read", ": > f; printf x | connect 2>&1 1< f; echo $?", BadOutput)]
    [InlineData("a command without a dial and without output", "\"$WHIP\" --version 2>&1 >&-; echo $?", "whip: standard output: Bad file descriptor\n1\n")]
    public async Task A_redirection_does_what_the_shell_means(string what, string script, string expected)
    {
        Assert.NotEmpty(what);
        Assert.Equal(expected, await RunAsync(script));
    }

    [SkippableFact]
    public async Task A_terminal_at_both_ends()
    {
        Skip.IfNot(File.Exists("/usr/bin/script"), "needs script of util-linux");

        // script runs the command in the shell that SHELL names, else in sh, which has no exported functions.
        var shown = await RunAsync("export -f connect; export SHELL=$BASH; printf 'x\\n\\004' | script -qec 'stty -echo; connect' /dev/null");
        Assert.EndsWith("+x\r\n", shown);
    }

    [Fact]
    public async Task A_descriptor_that_another_program_made_non_blocking_is_waited_for()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var near = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await near.ConnectAsync(listener.LocalEndPoint!);
        using var far = await listener.AcceptAsync();
        near.Blocking = false;
        await using var stream = new DescriptorStream(new SafeFileHandle(near.Handle, ownsHandle: false));

        var sent = new byte[16 * 1024 * 1024];
        Random.Shared.NextBytes(sent);
        var writing = stream.WriteAsync(sent).AsTask();
        var received = new byte[sent.Length];
        await new NetworkStream(far).ReadExactlyAsync(received).AsTask().WaitAsync(Patience.Long);
        await writing;
        Assert.Equal(sent, received);

        var reading = stream.ReadAsync(received.AsMemory(0, 1)).AsTask();
        await far.SendAsync("x"u8.ToArray());
        Assert.Equal(1, await reading.WaitAsync(Patience.Long));
    }

    private static async Task<string> RunAsync(string script)
    {
        await using var front = new FakeDialFront(false, async connection =>
        {
            await connection.EstablishAsync();
            await connection.WriteAsync("+");
            await connection.EchoAsync();
        });
        using var folder = new TempFolder();
        var start = new System.Diagnostics.ProcessStartInfo("bash", ["-c", Connect + script]) { WorkingDirectory = folder.FullName };
        start.Environment["WHIP"] = Path.Combine(AppContext.BaseDirectory, "whip");
        start.Environment["BROKER"] = front.Authority;
        return (await ShellCommand.RunAsync(start, Patience.Long, CancellationToken.None)).Text;
    }
}
