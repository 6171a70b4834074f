using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using Xunit;

namespace Whip.Tests.Support;

/// <summary>
/// A built program in a process of its own, from the folder of the tests. Disposing it stops what still runs as a user would, with SIGTERM, and fails
/// the test if it does not end with exit code 0 or if it logged an error the test did not declare.
/// </summary>
internal sealed class WhipProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ProcessLines _output;
    private readonly ProcessLines _error;
    private readonly List<string> _expected = [];
    private bool _judged;

    private WhipProcess(Process process)
    {
        _process = process;
        _output = new ProcessLines(process.StandardOutput);
        _error = new ProcessLines(process.StandardError);
    }

    /// <summary>What the ready line told, by name; empty before <see cref="ReadyAsync"/>.</summary>
    public IReadOnlyDictionary<string, IPEndPoint> Addresses { get; private set; } = new Dictionary<string, IPEndPoint>();

    public int Id => _process.Id;

    public IReadOnlyList<string> Output => _output.All;

    public IReadOnlyList<string> Error => _error.All;

    /// <summary>Starts a program, such as <c>whip-broker</c>. It sees none of this process' WHIP_ variables.</summary>
    public static WhipProcess Start(string program, IEnumerable<string> args, IReadOnlyDictionary<string, string>? environment = null)
    {
        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        var start = new ProcessStartInfo(host, [Path.Combine(AppContext.BaseDirectory, $"{program}.dll"), .. args])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("WHIP_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return new WhipProcess(Process.Start(start)!);
    }

    /// <summary>Starts a program and waits until it serves.</summary>
    public static async Task<WhipProcess> StartReadyAsync(string program, params string[] args)
    {
        var process = Start(program, args);
        await process.ReadyAsync();
        return process;
    }

    public async Task ReadyAsync()
    {
        var line = await _output.FindAsync(l => l.StartsWith("ready", StringComparison.Ordinal));
        if (line is null)
        {
            Kill();
            _judged = true;
            Assert.Fail($"not ready; it said:\n{string.Join('\n', Error)}");
        }

        Addresses = line.Split(' ').Skip(1).Select(item => item.Split('=', 2)).ToDictionary(pair => pair[0], pair => IPEndPoint.Parse(pair[1]));
    }

    /// <summary>The first line on standard error with this text, past or to come.</summary>
    public async Task<string> ErrorLineAsync(string text) =>
        await _error.FindAsync(line => line.Contains(text, StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"never said: {text}; but:\n{string.Join('\n', Error)}");

    /// <summary>Declares error records with this text, which may come or not.</summary>
    public void Expect(string text) => _expected.Add(text);

    public void Signal(PosixSignal signal)
    {
        var number = signal switch { PosixSignal.SIGINT => 2, PosixSignal.SIGTERM => 15, _ => throw new ArgumentOutOfRangeException(nameof(signal)) };
        // Fails only for a process that has just ended, which its exit code tells better.
        _ = SendSignal(_process.Id, number);
    }

    /// <summary>SIGKILL: no exit code is then asked of it.</summary>
    public void Kill()
    {
        _judged = true;
        _process.Kill();
    }

    /// <summary>Waits for the end of the process and of its output, and takes its exit code off <see cref="DisposeAsync"/>'s hands.</summary>
    public async Task<int> ExitCodeAsync()
    {
        _judged = true;
        await _process.WaitForExitAsync().WaitAsync(Patience.Long);
        await Task.WhenAll(_output.Ended, _error.Ended).WaitAsync(Patience.Long);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        var judged = _judged;
        using (_process)
        {
            try
            {
                if (!_process.HasExited)
                {
                    Signal(PosixSignal.SIGTERM);
                }

                var code = await ExitCodeAsync();
                Assert.True(judged || code == 0, $"exit code {code}; it said:\n{string.Join('\n', Error)}");
            }
            catch (TimeoutException)
            {
                _process.Kill();
                Assert.Fail($"left running; it said:\n{string.Join('\n', Error)}");
            }
        }

        var undeclared = Error.Where(line => line.Split(' ', 3) is [_, "ERR" or "FTL", _] && !_expected.Any(line.Contains)).ToArray();
        Assert.True(undeclared.Length == 0, $"undeclared errors were logged:\n{string.Join('\n', undeclared)}");
    }

    [DllImport("libc", EntryPoint = "kill")]
    internal static extern int SendSignal(int pid, int signal);
}
