using System.Text.Json;

namespace Whip.Tests.Bench;

/// <summary>A built whip-bench in a process of its own. Disposing it fails the test if anything it started still runs, or if its folder is left.</summary>
internal sealed class BenchProcess : IAsyncDisposable
{
    // It starts up to ten processes one after another.
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    private readonly string _mark = Guid.NewGuid().ToString("N");
    private readonly DirectoryInfo _temporary = Directory.CreateTempSubdirectory("whip-test-");
    private readonly WhipProcess _process;

    public BenchProcess(params string[] args)
    {
        if (OperatingSystem.IsLinux())
        {
            // A PostgreSQL in there is run by another user.
            File.SetUnixFileMode(_temporary.FullName, _temporary.UnixFileMode | UnixFileMode.OtherExecute);
        }

        _process = WhipProcess.Start("whip-bench", args, new Dictionary<string, string> { ["BENCH_TEST"] = _mark, ["TMPDIR"] = _temporary.FullName });
    }

    public IReadOnlyList<string> Output => _process.Output;

    public void Terminate() => _process.Signal(ProcessSignal.Terminate);

    /// <summary>Waits for a line of its output with this text.</summary>
    public Task ReadToAsync(string text) => _process.OutputLineAsync(text, Timeout);

    /// <summary>Its exit code and standard error, once it has ended.</summary>
    public async Task<(int ExitCode, string Error)> EndAsync()
    {
        var exitCode = await _process.ExitCodeAsync(Timeout);
        return (exitCode, string.Concat(_process.Error.Select(line => $"{line}\n")));
    }

    /// <summary>Its figures, once it has ended without a failure.</summary>
    public async Task<JsonElement[]> FiguresAsync()
    {
        var (exitCode, error) = await EndAsync();
        Assert.True(exitCode == 0, error);
        return [.. Output.Select(line => JsonDocument.Parse(line).RootElement)];
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.DisposeAsync();

        // What it started ends within its own time, even when it was killed.
        await Polling.UntilAsync(() => Left().Count == 0, Patience.Long, TimeSpan.FromMilliseconds(20), CancellationToken.None);
        Assert.Empty(Left());
        _temporary.Delete(recursive: true);
    }

    /// <summary>Its folders, and every process that has this one's mark in its environment, as whatever it starts inherits it.</summary>
    private List<string> Left()
    {
        var left = _temporary.GetDirectories("whip-*").Select(folder => folder.FullName).ToList();
        foreach (var folder in Directory.GetDirectories("/proc").Where(f => int.TryParse(Path.GetFileName(f), out _)))
        {
            try
            {
                if (File.ReadAllText($"{folder}/environ").Contains(_mark, StringComparison.Ordinal))
                {
                    left.Add(File.ReadAllText($"{folder}/cmdline").Replace('\0', ' '));
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has just ended, or belongs to another user.
            }
        }

        return left;
    }
}
