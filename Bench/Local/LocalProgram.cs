using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;

namespace Whip.Bench.Local;

/// <summary>A program as a child process. Both its outputs are read to their end, so that it never blocks.</summary>
internal sealed class LocalProgram
{
    private readonly Process _process;
    private readonly LogTail _log;
    private readonly List<string> _output = [];
    private readonly TaskCompletionSource<string> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LocalProgram(string part, Process process, LogTail log)
    {
        Part = part;
        _log = log;
        _process = process;
        Ended = EndAsync();
    }

    /// <summary>What it is here, such as <c>instance1</c>.</summary>
    public string Part { get; }

    public int Id => _process.Id;

    public IReadOnlyList<string> Log => _log.Lines;

    /// <summary>Its exit code, once it and its outputs have ended.</summary>
    public Task<int> Ended { get; }

    /// <summary>What the ready line told, by name; empty before <see cref="ReadyAsync"/>.</summary>
    public IReadOnlyDictionary<string, IPEndPoint> Addresses { get; private set; } = new Dictionary<string, IPEndPoint>();

    /// <summary>Processor time it has used, in user and kernel mode, in steps of 10 ms.</summary>
    public TimeSpan ProcessorTime => ProcessReading.ProcessorTime(Id);

    /// <summary>Starts a program file. It sees none of this process' WHIP_ variables, and finds the runtime this process runs on. The log takes its standard error.</summary>
    public static LocalProgram Start(string part, string path, IEnumerable<string> args, IReadOnlyDictionary<string, string> environment, LogTail log)
    {
        var start = new ProcessStartInfo(path, args) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("WHIP_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        try
        {
            return new LocalProgram(part, Process.Start(start)!, log);
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new PartFailedException(part, $"cannot start {path}: {error.Message}", [], error);
        }
    }

    /// <summary>Waits for the ready line and takes the addresses from it.</summary>
    /// <exception cref="PartFailedException">It ended instead, or said nothing in time.</exception>
    public async Task ReadyAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAny(_ready.Task, Ended).WaitAsync(patience, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw Failed($"not ready within {patience.TotalSeconds} s");
        }

        if (!_ready.Task.IsCompleted)
        {
            throw Failed($"ended with exit code {await Ended} before it was ready");
        }

        var items = (await _ready.Task).Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1);
        Addresses = items.Select(item => item.Split('=', 2)).ToDictionary(pair => pair[0], pair => IPEndPoint.Parse(pair[1]));
    }

    /// <summary>Waits for a program that is done by itself, and returns what it wrote to standard output.</summary>
    /// <exception cref="PartFailedException">Its exit code is not 0.</exception>
    public async Task<string> OutputAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            var exitCode = await Ended.WaitAsync(patience, cancellationToken);
            return exitCode == 0 ? string.Join('\n', _output) : throw Failed($"ended with exit code {exitCode}");
        }
        catch (TimeoutException)
        {
            throw Failed($"not done within {patience.TotalSeconds} s");
        }
    }

    /// <summary>One of <see cref="ProcessSignal"/>; nothing to a process that has ended.</summary>
    public void Signal(int signal)
    {
        if (!Ended.IsCompleted && !_process.HasExited)
        {
            ProcessSignal.Send(_process.Id, signal);
        }
    }

    /// <summary>SIGTERM, and SIGKILL to what still runs after <paramref name="grace"/>. Returns when the process is gone.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        Signal(ProcessSignal.Terminate);
        Signal(ProcessSignal.Continue);
        try
        {
            await Ended.WaitAsync(grace);
        }
        catch (TimeoutException)
        {
            _process.Kill();
            await Ended;
        }

        _process.Dispose();
    }

    public PartFailedException Failed(string problem, Exception? cause = null) => new(Part, problem, Log, cause);

    private async Task<int> EndAsync()
    {
        await Task.WhenAll(
            ReadAsync(_process.StandardOutput, TakeOutput),
            ReadAsync(_process.StandardError, _log.Add),
            _process.WaitForExitAsync());
        _log.Dispose();
        return _process.ExitCode;
    }

    private void TakeOutput(string line)
    {
        if (line.StartsWith("ready", StringComparison.Ordinal))
        {
            _ready.TrySetResult(line);
        }
        else
        {
            _output.Add(line);
        }
    }

    private static async Task ReadAsync(StreamReader reader, Action<string> take)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            take(line);
        }
    }
}
