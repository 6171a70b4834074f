using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;

namespace Whip.Harness.Programs;

/// <summary>
/// A built program in a process of its own. Disposing it stops what still runs as a user would, with SIGTERM, and throws if it does not end with exit
/// code 0 or if it logged an error that is not expected.
/// </summary>
internal sealed class WhipProcess : IAsyncDisposable
{
    private const int LinesTold = 20;

    // For a start or an end: enough for a busy machine.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly ProcessLines _output;
    private readonly ProcessLines _error;
    private readonly List<string> _expected = [];

    // The caller judges its exit code, or it cannot be 0.
    private bool _isJudged;

    private WhipProcess(string part, Process process, string? logPath)
    {
        Part = part;
        _process = process;
        _output = new ProcessLines(process.StandardOutput);
        _error = new ProcessLines(process.StandardError, logPath);
        Ended = EndAsync();
    }

    /// <summary>Its name here, such as <c>instance1</c>.</summary>
    public string Part { get; }

    public int Id => _process.Id;

    public IReadOnlyList<string> Output => _output.All;

    public IReadOnlyList<string> Error => _error.All;

    /// <summary>How many lines <see cref="Error"/> had so far; it keeps the last ones only.</summary>
    public long ErrorCount => _error.Count;

    /// <summary>The error records that were not expected.</summary>
    public IReadOnlyList<string> UndeclaredErrors => [.. Error.Where(line => line.Split(' ', 3) is [_, "ERR" or "FTL", _] && !_expected.Any(line.Contains))];

    /// <summary>Its exit code, once it and its outputs have ended.</summary>
    public Task<int> Ended { get; }

    /// <summary>The addresses of the ready line, by name; empty before <see cref="ReadyAsync"/>.</summary>
    public IReadOnlyDictionary<string, IPEndPoint> Addresses { get; private set; } = new Dictionary<string, IPEndPoint>();

    /// <summary>Starts a program from this one's folder, such as <c>whip-broker</c>.</summary>
    public static WhipProcess Start(string program, IEnumerable<string> args, IReadOnlyDictionary<string, string>? environment = null) =>
        Start(program, Path.Combine(AppContext.BaseDirectory, program), args, environment);

    /// <summary>Starts a program file. Its whole log is added to <paramref name="logPath"/>, if there is one.</summary>
    public static WhipProcess Start(
        string part, string path, IEnumerable<string> args, IReadOnlyDictionary<string, string>? environment, string? logPath = null)
    {
        try
        {
            return new WhipProcess(part, Process.Start(StartInfo(path, args, environment))!, logPath);
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new PartFailedException(part, $"cannot start {path}: {error.Message}", [], error);
        }
    }

    /// <summary>How a program file is started: it sees none of this process' WHIP_ variables, and finds the runtime that this process runs on.</summary>
    public static ProcessStartInfo StartInfo(string path, IEnumerable<string> args, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(path, args) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("WHIP_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        return start;
    }

    public static async Task<WhipProcess> StartReadyAsync(string program, params string[] args)
    {
        var process = Start(program, args);
        await process.ReadyAsync();
        return process;
    }

    /// <summary>Waits for the ready line and takes the addresses from it.</summary>
    public async Task ReadyAsync(CancellationToken cancellationToken = default)
    {
        var line = await _output.FindAsync(l => l.StartsWith("ready", StringComparison.Ordinal), Timeout, cancellationToken);
        if (line is null)
        {
            var failure = _output.Ended.IsCompleted
                ? $"ended with exit code {await ExitCodeAsync(cancellationToken: cancellationToken)} before it was ready"
                : $"not ready within {Timeout.TotalSeconds} s";
            Kill();
            throw Failed(failure);
        }

        var items = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1);
        Addresses = items.Select(item => item.Split('=', 2))
            .Where(pair => !pair[1].StartsWith("unix:", StringComparison.Ordinal))
            .ToDictionary(pair => pair[0], pair => IPEndPoint.Parse(pair[1]));
    }

    /// <summary>The first line on standard output with this text, past or to come.</summary>
    public Task<string> OutputLineAsync(string text, TimeSpan? timeout = null) => LineAsync(_output, text, timeout ?? Timeout);

    public Task<string> ErrorLineAsync(string text) => LineAsync(_error, text, Timeout);

    /// <summary>Allows error records with this text in its log.</summary>
    public void Expect(string text) => _expected.Add(text);

    /// <summary>Does nothing to a process that has ended.</summary>
    public void Signal(ProcessSignal signal)
    {
        if (!Ended.IsCompleted && !_process.HasExited)
        {
            LinuxProcess.Send(_process.Id, signal);
        }
    }

    /// <summary>Sends SIGKILL; <see cref="DisposeAsync"/> then accepts any exit code.</summary>
    public void Kill()
    {
        _isJudged = true;
        Signal(ProcessSignal.Kill);
    }

    /// <summary>Waits for the end of the process and of its output; <see cref="DisposeAsync"/> then accepts any exit code.</summary>
    public async Task<int> ExitCodeAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        _isJudged = true;
        var limit = timeout ?? Timeout;
        try
        {
            return await Ended.WaitAsync(limit, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw Failed($"still runs after {limit.TotalSeconds} s");
        }
    }

    /// <summary>Sends SIGTERM, and SIGKILL after <paramref name="grace"/>. Returns, when the process is gone, whether it ended by itself.</summary>
    public async Task<bool> StopAsync(TimeSpan grace)
    {
        Signal(ProcessSignal.Terminate);
        Signal(ProcessSignal.Continue);
        using (_process)
        {
            try
            {
                await Ended.WaitAsync(grace);
                return true;
            }
            catch (TimeoutException)
            {
                _process.Kill();
                await Ended;
                return false;
            }
        }
    }

    public PartFailedException Failed(string problem, Exception? cause = null) => new(Part, problem, Error.TakeLast(LinesTold).ToArray(), cause);

    public async ValueTask DisposeAsync()
    {
        var isStopped = await StopAsync(Timeout);
        var code = await Ended;
        var undeclared = UndeclaredErrors;
        var problem = !isStopped ? $"still ran {Timeout.TotalSeconds} s after SIGTERM"
            : code != 0 && !_isJudged ? $"ended with exit code {code}"
            : undeclared.Count > 0 ? $"logged undeclared errors: {string.Join(" / ", undeclared)}"
            : null;
        if (problem is not null)
        {
            throw Failed(problem);
        }
    }

    private async Task<string> LineAsync(ProcessLines lines, string text, TimeSpan timeout) =>
        await lines.FindAsync(line => line.Contains(text, StringComparison.Ordinal), timeout, CancellationToken.None)
            ?? throw Failed($"never said: {text}");

    private async Task<int> EndAsync()
    {
        await Task.WhenAll(_output.Ended, _error.Ended, _process.WaitForExitAsync());
        return _process.ExitCode;
    }
}
