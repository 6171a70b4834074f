using System.Collections.Concurrent;

namespace Whip.Harness.Programs;

/// <summary>Programs of one folder, run as child processes over one temporary folder. Disposing ends and removes all of it.</summary>
internal sealed class WhipProcesses : IAsyncDisposable
{
    // Every program has this variable with the folder as its value, and is found by it: also one that was just being started.
    private const string Mark = "HARNESS_FOLDER";

    private const string EndPrograms =
        $$"""
        read -r _ && exit
        pids() { grep -lsF "{{Mark}}=$1" /proc/[0-9]*/environ | cut -d/ -f3; }
        sleep 0.2
        kill -TERM $(pids "$1")
        tries=50
        while [ -n "$(pids "$1")" ] && [ $tries -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
        kill -KILL $(pids "$1")
        rm -rf -- "$1"
        """;

    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(10);

    // From what a dying program did to others until its end is known here.
    private static readonly TimeSpan EndDelay = TimeSpan.FromSeconds(0.5);

    private readonly string _programFolder;
    private readonly Dictionary<string, string> _environment;
    private readonly string? _logFolder;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("whip-harness-");
    private readonly Watchdog _watchdog;
    private readonly ConcurrentBag<WhipProcess> _all = [];

    /// <param name="programFolder">Where whip-broker, whip-agent, whip-proxy and whip are.</param>
    /// <param name="environment">What they see besides this process' own variables.</param>
    /// <param name="logFolder">Where all that they log is added to a file for each part; null keeps the last lines only.</param>
    public WhipProcesses(string programFolder, IReadOnlyDictionary<string, string>? environment = null, string? logFolder = null)
    {
        (_programFolder, _logFolder) = (programFolder, logFolder);
        _environment = new Dictionary<string, string>(environment ?? new Dictionary<string, string>()) { [Mark] = Folder };
        _watchdog = new Watchdog(Folder, EndPrograms);
    }

    /// <summary>For certificates and keys.</summary>
    public string Folder => _folder.FullName;

    /// <summary>Starts a program and waits until it serves.</summary>
    /// <exception cref="PartFailedException">It did not come to that.</exception>
    public async Task<WhipProcess> StartAsync(string part, string program, IEnumerable<string> args, CancellationToken cancellationToken)
    {
        var started = Start(part, program, args);
        await started.ReadyAsync(cancellationToken);
        return started;
    }

    /// <summary>Starts a program and does not wait.</summary>
    public WhipProcess Start(string part, string program, IEnumerable<string> args)
    {
        var logPath = _logFolder is null ? null : Path.Combine(_logFolder, $"{part}.log");
        var started = WhipProcess.Start(part, Path.Combine(_programFolder, program), args, _environment, logPath);
        _all.Add(started);
        return started;
    }

    /// <summary>The first program that ends though nobody asked it to.</summary>
    public async Task<WhipProcess> FirstToEndAsync(CancellationToken cancellationToken)
    {
        var ended = await Task.WhenAny(_all.Select(p => p.Ended)).WaitAsync(cancellationToken);
        return _all.First(p => p.Ended == ended);
    }

    /// <summary>Whose fault it is that something failed: the program that has just ended, if one has, else <paramref name="suspect"/>.</summary>
    public async Task<WhipProcess> FindCulpritAsync(WhipProcess suspect)
    {
        using var deadline = new CancellationTokenSource(EndDelay);
        try
        {
            return await FirstToEndAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            return suspect;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_all.Select(p => p.StopAsync(StopGrace)));
        _folder.Delete(recursive: true);
        _watchdog.Dispose();
    }
}
