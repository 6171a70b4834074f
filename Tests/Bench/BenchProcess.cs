using System.Diagnostics;
using Xunit;

namespace Whip.Tests.Bench;

/// <summary>A built whip-bench in a process of its own. Disposing it fails the test if anything it started still runs, or if its folder is left.</summary>
internal sealed class BenchProcess : IAsyncDisposable
{
    // It starts up to ten processes one after another.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly string _mark = Guid.NewGuid().ToString("N");
    private readonly DirectoryInfo _temporary = Directory.CreateTempSubdirectory("whip-test-");
    private readonly Process _process;
    private readonly List<string> _output = [];
    private readonly Task<string> _error;

    public BenchProcess(params string[] args)
    {
        if (OperatingSystem.IsLinux())
        {
            // A PostgreSQL in there is run by another user.
            File.SetUnixFileMode(_temporary.FullName, _temporary.UnixFileMode | UnixFileMode.OtherExecute);
        }

        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        _process = Process.Start(new ProcessStartInfo(host, [Path.Combine(AppContext.BaseDirectory, "whip-bench.dll"), .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["BENCH_TEST"] = _mark, ["TMPDIR"] = _temporary.FullName },
        })!;
        _error = _process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    public IReadOnlyList<string> Output => _output;

    /// <summary>Reads its output up to a line with this text.</summary>
    public async Task ReadToAsync(string text)
    {
        while (await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            _output.Add(line);
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"never said: {text}; but:\n{string.Join('\n', _output)}\n{await _error}");
    }

    /// <summary>Its exit code and standard error, once it has ended.</summary>
    public async Task<(int ExitCode, string Error)> EndAsync()
    {
        var output = await _process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        _output.AddRange(output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return (_process.ExitCode, await _error.WaitAsync(Patience));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        // What it started ends within its own patience, even when it was killed.
        var started = Stopwatch.GetTimestamp();
        while ((Running().Count > 0 || _temporary.GetDirectories("whip-*").Length > 0) && Stopwatch.GetElapsedTime(started) < Support.Patience.Long)
        {
            await Task.Delay(20);
        }

        _process.Dispose();
        Assert.Empty(Running());
        Assert.Empty(_temporary.GetDirectories("whip-*"));
        _temporary.Delete(recursive: true);
    }

    /// <summary>Every process that has this one's mark in its environment, as whatever it starts inherits it.</summary>
    private List<string> Running()
    {
        var running = new List<string>();
        foreach (var folder in Directory.GetDirectories("/proc").Where(f => int.TryParse(Path.GetFileName(f), out _)))
        {
            try
            {
                if (File.ReadAllText($"{folder}/environ").Contains(_mark, StringComparison.Ordinal))
                {
                    running.Add(File.ReadAllText($"{folder}/cmdline").Replace('\0', ' '));
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has just ended, or is somebody else's.
            }
        }

        return running;
    }
}
